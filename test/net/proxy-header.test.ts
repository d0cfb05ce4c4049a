import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { MOST_HEADER_BYTES, readProxyHeader, type HeaderReading } from "../../src/net/proxy-header.ts";
import { binaryHeader, lineHeader } from "./headers.ts";

const line = (text: string): Buffer => Buffer.from(text, "latin1");

function read(bytes: Buffer): HeaderReading["is"] {
  return readProxyHeader(bytes).is;
}

/** A whole header of that source is read when its last byte is there, and not before; what follows it is nothing of it. */
function expectWhole(header: Buffer, source: { address: string; port: number } | undefined): void {
  for (let length = 0; length < header.length; length++) {
    expect(read(header.subarray(0, length)), `${length} of ${header.length} bytes`).toBe("unfinished");
  }
  for (const behind of ["", "\x00\x00\x00\x02Z5", "\r\n", "PROXY TCP4 "]) {
    const reading = readProxyHeader(Buffer.concat([header, line(behind)]));
    expect(reading).toEqual({ is: "whole", length: header.length, source });
  }
}

describe("a header of version 1", () => {
  // What HAProxy's document shows, and the longest line of each sort.
  test.each([
    ["PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", { address: "192.168.0.1", port: 56_324 }],
    ["PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", { address: "255.255.255.255", port: 65_535 }],
    ["PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", { address: "0.0.0.0", port: 0 }],
    ["PROXY TCP6 2001:DB8::1 2001:db8::2 1 2\r\n", { address: "2001:db8::1", port: 1 }],
    [
      "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
      { address: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", port: 65_535 },
    ],
    // A client of IPv4 at an IPv6 socket of the balancer's.
    ["PROXY TCP6 ::ffff:10.0.0.1 ::ffff:10.0.0.2 5 6\r\n", { address: "10.0.0.1", port: 5 }],
    ["PROXY UNKNOWN\r\n", undefined],
    [
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
      undefined,
    ],
    ["PROXY UNKNOWN whatever  this is\r\n", undefined],
  ])("%j", (text, source) => {
    expectWhole(line(text), source);
  });

  test.each([
    ["another family", "PROXY TCP5 1.2.3.4 1.2.3.5 1 2\r\n"],
    ["a small letter", "PROXY tcp4 1.2.3.4 1.2.3.5 1 2\r\n"],
    ["UDP", "PROXY UDP4 1.2.3.4 1.2.3.5 1 2\r\n"],
    ["nothing", "PROXY \r\n"],
    ["UNKNOWN and more", "PROXY UNKNOWNS\r\n"],
    ["no destination", "PROXY TCP4 1.2.3.4 1 2\r\n"],
    ["no ports", "PROXY TCP4 1.2.3.4 1.2.3.5\r\n"],
    ["one port", "PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n"],
    ["three ports", "PROXY TCP4 1.2.3.4 1.2.3.5 1 2 3\r\n"],
    ["two spaces", "PROXY TCP4  1.2.3.4 1.2.3.5 1 2\r\n"],
    ["a space at its end", "PROXY TCP4 1.2.3.4 1.2.3.5 1 2 \r\n"],
    ["a tabulator", "PROXY TCP4\t1.2.3.4 1.2.3.5 1 2\r\n"],
    ["an address of the other family", "PROXY TCP4 ::1 ::2 1 2\r\n"],
    ["an address of the other family", "PROXY TCP6 1.2.3.4 1.2.3.5 1 2\r\n"],
    ["addresses of two families", "PROXY TCP4 1.2.3.4 ::1 1 2\r\n"],
    ["an octal number, perhaps", "PROXY TCP4 01.2.3.4 1.2.3.5 1 2\r\n"],
    ["a name", "PROXY TCP4 localhost 1.2.3.5 1 2\r\n"],
    ["a zone", "PROXY TCP6 fe80::1%1 fe80::2 1 2\r\n"],
    ["a port that is too high", "PROXY TCP4 1.2.3.4 1.2.3.5 65536 2\r\n"],
    ["a port that is too high", "PROXY TCP4 1.2.3.4 1.2.3.5 1 99999\r\n"],
    ["a port with a zero before it", "PROXY TCP4 1.2.3.4 1.2.3.5 01 2\r\n"],
    ["a negative port", "PROXY TCP4 1.2.3.4 1.2.3.5 -1 2\r\n"],
    ["a port in hexadecimal", "PROXY TCP4 1.2.3.4 1.2.3.5 0x1 2\r\n"],
    ["LF without CR", "PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n"],
    ["CR without LF", "PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r."],
    ["a line end within it", "PROXY UNKNOWN\n\r\n"],
    ["a CR within it", "PROXY UNKNOWN a\rb\r\n"],
    ["107 bytes, and no end", `PROXY UNKNOWN ${"x".repeat(93)}`],
    ["the end behind 107 bytes", `PROXY UNKNOWN ${"x".repeat(92)}\r\n`],
  ])("with %s is bad: %j", (_, text) => {
    expect(read(line(text))).toBe("bad");
    // More does not make it better.
    expect(read(Buffer.concat([line(text), line("\r\n")]))).toBe("bad");
  });

  it("may have 107 bytes, and is waited for until then", () => {
    const longest = line(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`);
    expect(longest).toHaveLength(107);
    expectWhole(longest, undefined);
  });
});

describe("a header of version 2", () => {
  const ipv4 = Buffer.from("c0a80001c0a8000bdc0401bb", "hex");
  const ipv6 = Buffer.from("20010db8000000000000000000000001".repeat(2) + "dc0401bb", "hex");
  const mapped = Buffer.from("00000000000000000000ffffc0a80001".repeat(2) + "dc0401bb", "hex");
  const SOURCE = { address: "192.168.0.1", port: 56_324 };

  it("is what HAProxy's document says, byte for byte", () => {
    const bytes = Buffer.from("0d0a0d0a000d0a515549540a2111000cc0a80001c0a8000bdc0401bb", "hex");
    expect(binaryHeader(0x21, 0x11, ipv4)).toEqual(bytes);
    expectWhole(bytes, SOURCE);
  });

  test.each([
    ["TCP over IPv4", 0x21, 0x11, ipv4, SOURCE],
    ["TCP over IPv6", 0x21, 0x21, ipv6, { address: "2001:db8::1", port: 56_324 }],
    ["TCP over IPv6, mapped", 0x21, 0x21, mapped, SOURCE],
    [
      "TCP over IPv4, and more behind it",
      0x21,
      0x11,
      Buffer.concat([ipv4, Buffer.from("03000412345678", "hex")]),
      SOURCE,
    ],
    ["TCP over IPv4, and what is no list of anything", 0x21, 0x11, Buffer.concat([ipv4, Buffer.alloc(5, 255)]), SOURCE],
    ["the longest", 0x21, 0x11, Buffer.concat([ipv4, Buffer.alloc(4096 - 12)]), SOURCE],
    ["an own connection of the balancer's", 0x20, 0x00, Buffer.alloc(0), undefined],
    ["one with addresses", 0x20, 0x11, ipv4, undefined],
    ["one with an address that is cut off", 0x20, 0x11, ipv4.subarray(5), undefined],
    ["one of no known family", 0x20, 0xff, Buffer.alloc(3), undefined],
    ["unspecified", 0x21, 0x00, Buffer.alloc(0), undefined],
    ["unspecified, with bytes", 0x21, 0x00, Buffer.alloc(12), undefined],
    ["IPv4 over an unspecified transport", 0x21, 0x10, ipv4, undefined],
    ["UDP over IPv4", 0x21, 0x12, ipv4, undefined],
    ["UDP over IPv6", 0x21, 0x22, ipv6, undefined],
    ["a Unix stream", 0x21, 0x31, Buffer.alloc(216, 65), undefined],
    ["Unix datagrams", 0x21, 0x32, Buffer.alloc(216, 65), undefined],
  ])("%s", (_, command, family, rest, source) => {
    expectWhole(binaryHeader(command, family, rest), source);
  });

  test.each([
    ["version 1", 0x11, 0x11, ipv4, 13],
    ["version 3", 0x31, 0x11, ipv4, 13],
    ["another command", 0x22, 0x11, ipv4, 13],
    ["another family", 0x21, 0x41, ipv4, 14],
    ["another transport", 0x21, 0x13, ipv4, 14],
    ["an IPv4 address that is cut off", 0x21, 0x11, ipv4.subarray(1), 16],
    ["an IPv6 address that is cut off", 0x21, 0x21, ipv6.subarray(1), 16],
    ["no address", 0x21, 0x11, Buffer.alloc(0), 16],
    ["too much behind it", 0x21, 0x11, Buffer.concat([ipv4, Buffer.alloc(4097 - 12)]), 16],
    ["too much behind it", 0x20, 0x00, Buffer.alloc(65_535), 16],
  ])("with %s is bad as soon as that can be seen", (_, command, family, rest, length) => {
    const header = binaryHeader(command, family, rest);
    expect(read(header.subarray(0, length - 1))).toBe("unfinished");
    expect(read(header.subarray(0, length))).toBe("bad");
    expect(read(header)).toBe("bad");
  });

  it("is the longest of all", () => {
    expect(binaryHeader(0x21, 0x00, Buffer.alloc(4096))).toHaveLength(MOST_HEADER_BYTES);
  });
});

describe("what begins like no header", () => {
  test.each([
    ["an answer of ZEO", Buffer.from("\x00\x00\x00\x02Z5")],
    ["TLS", Buffer.from("160301020001", "hex")],
    ["HTTP", line("GET / HTTP/1.1\r\n")],
    ["another word", line("PROXYTCP4")],
    ["a small letter", line("proxy TCP4 ")],
    ["a signature that is not whole", Buffer.from("0d0a0d0a000d0a515549540b", "hex")],
    ["an empty line", line("\r\n\r\n\r\n")],
  ])("is none: %s", (_, bytes) => {
    expect(read(bytes)).toBe("none");
  });

  it("is told as soon as it is there", () => {
    for (const start of [line("PROXY "), Buffer.from("0d0a0d0a000d0a515549540a", "hex")]) {
      for (let at = 0; at < start.length; at++) {
        const other = Buffer.from(start.subarray(0, at + 1));
        expect(read(other)).toBe("unfinished");
        other[at] = (other[at] as number) ^ 1;
        expect(read(other)).toBe("none");
      }
    }
  });
});

describe("whatever comes", () => {
  const port = fc.nat({ max: 65_535 });
  const anyHeader = fc.oneof(
    fc
      .tuple(fc.ipV4(), fc.ipV4(), port, port)
      .map(([from, to, a, b]) => ({ header: lineHeader("TCP4", from, to, a, b), port: a })),
    fc
      .tuple(fc.ipV6(), fc.ipV6(), port, port)
      .map(([from, to, a, b]) => ({ header: lineHeader("TCP6", from, to, a, b), port: a })),
    fc
      .tuple(fc.uint8Array({ minLength: 8, maxLength: 8 }), port, fc.uint8Array({ maxLength: 300 }))
      .map(([addresses, a, more]) => ({ header: ofVersion2(0x11, addresses, a, more), port: a })),
    fc
      .tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), port, fc.uint8Array({ maxLength: 300 }))
      .map(([addresses, a, more]) => ({ header: ofVersion2(0x21, addresses, a, more), port: a })),
  );

  function ofVersion2(family: number, addresses: Uint8Array, from: number, more: Uint8Array): Buffer {
    const ports = Buffer.alloc(4);
    ports.writeUInt16BE(from);
    return binaryHeader(0x21, family, Buffer.concat([addresses, ports, more]));
  }

  it("a whole header is read with its port and its length, wherever it is cut and whatever follows", () => {
    fc.assert(
      fc.property(anyHeader, fc.uint8Array({ maxLength: 50 }), fc.nat(), ({ header, port: from }, behind, cut) => {
        expect(read(header.subarray(0, cut % header.length))).toBe("unfinished");
        const reading = readProxyHeader(Buffer.concat([header, behind]));
        expect(reading).toMatchObject({ is: "whole", length: header.length, source: { port: from } });
      }),
    );
  });

  it("of a header that was changed in one byte no more than that is read, and nothing is thrown", () => {
    fc.assert(
      fc.property(anyHeader, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ header }, at, by) => {
        const changed = Buffer.from(header);
        changed[at % header.length] = (changed[at % header.length] as number) ^ by;
        const reading = readProxyHeader(changed);
        if (reading.is === "whole") expect(reading.length).toBeLessThanOrEqual(changed.length);
      }),
    );
  });

  it("what is decided stays so, however much follows; and nothing is waited for beyond the longest header", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom("", "PROXY ", "\r\n\r\n\0\r\nQUIT\n"),
        (bytes, start) => {
          const all = Buffer.concat([line(start), bytes]);
          let decided: HeaderReading | undefined;
          for (let length = 0; length <= all.length; length++) {
            const reading = readProxyHeader(all.subarray(0, length));
            if (decided !== undefined) expect(reading).toEqual(decided);
            else if (reading.is !== "unfinished") decided = reading;
          }
          expect(read(Buffer.concat([all, Buffer.alloc(MOST_HEADER_BYTES, 65)]))).not.toBe("unfinished");
        },
      ),
    );
  });
});
