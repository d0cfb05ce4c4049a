import { describe, expect, it, test } from "vitest";
import type { Address } from "../../src/config/address.ts";
import { canonicalHost, formatAddress, parseAddress, reaches, sameListener } from "../../src/config/address.ts";

function read(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return address;
}

describe("parseAddress", () => {
  test.each([
    ["127.0.0.1:9100", { host: "127.0.0.1", port: 9100 }],
    ["0.0.0.0:0", { host: "0.0.0.0", port: 0 }],
    ["[::1]:9100", { host: "::1", port: 9100 }],
    ["[fe80::1%eth0]:9100", { host: "fe80::1%eth0", port: 9100 }],
    ["[::ffff:10.0.0.1]:65535", { host: "::ffff:10.0.0.1", port: 65535 }],
    ["zeo.example.com:8100", { host: "zeo.example.com", port: 8100 }],
    ["zeo.example.com.:8100", { host: "zeo.example.com.", port: 8100 }],
    ["zeo_1:8100", { host: "zeo_1", port: 8100 }],
    ["localhost:1", { host: "localhost", port: 1 }],
  ])("reads %s, and writes it again", (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(address)).toBe(text);
  });

  test.each([
    "",
    ":",
    ":9100",
    "9100",
    "localhost",
    "localhost:",
    "localhost:65536",
    "localhost:-1",
    "localhost:+1",
    "localhost:08100",
    "localhost:8100 ",
    " localhost:8100",
    "local host:8100",
    "::1:9100",
    "[::1]",
    "[::1]9100",
    "[]:1",
    "[localhost]:1",
    "[127.0.0.1]:1",
    "[::g]:1",
    "[[::1]]:1",
    "300.1.1.1:1",
    "1.2.3:1",
    "010.0.0.1:1",
    "127.0.0.1.:1",
    "a..b:1",
    "-a:1",
    "a-:1",
    `${"a".repeat(64)}:1`,
    `${"a.".repeat(127)}b:1`,
    "tcp://a:1",
    "a/b:1",
    "ä:1",
    "a:1\n",
  ])("refuses %j", (text) => expect(parseAddress(text)).toBeUndefined());
});

test("canonicalHost writes equal hosts alike", () => {
  expect(canonicalHost("0:0:0:0:0:0:0:1")).toBe("::1");
  expect(canonicalHost("FE80::0:1%eth0")).toBe("fe80::1%eth0");
  expect(canonicalHost("ZEO.Example.com.")).toBe("zeo.example.com");
});

describe("sameListener", () => {
  test.each([
    ["127.0.0.1:1", "127.0.0.1:1"],
    ["[::1]:1", "[0:0::1]:1"],
    ["LOCALHOST:1", "localhost:1"],
    ["localhost:1", "127.0.0.1:1"],
    ["localhost:1", "[::1]:1"],
    ["0.0.0.0:1", "127.0.0.1:1"],
    ["0.0.0.0:1", "10.0.0.1:1"],
    ["[::]:1", "0.0.0.0:1"],
    ["[::]:1", "[::1]:1"],
  ])("%s and %s clash", (a, b) => {
    expect(sameListener(read(a), read(b))).toBe(true);
    expect(sameListener(read(b), read(a))).toBe(true);
  });

  test.each([
    ["127.0.0.1:0", "127.0.0.1:0"],
    ["127.0.0.1:1", "127.0.0.1:2"],
    ["127.0.0.1:1", "127.0.0.2:1"],
    ["127.0.0.1:1", "[::1]:1"],
    ["0.0.0.0:1", "[::1]:1"],
    ["a:1", "b:1"],
  ])("%s and %s don't", (a, b) => {
    expect(sameListener(read(a), read(b))).toBe(false);
    expect(sameListener(read(b), read(a))).toBe(false);
  });
});

describe("reaches", () => {
  test.each([
    ["127.0.0.1:1", "127.0.0.1:1"],
    ["localhost:1", "127.0.0.1:1"],
    ["127.0.0.1:1", "0.0.0.0:1"],
    ["127.0.0.9:1", "0.0.0.0:1"],
    ["[::1]:1", "[::]:1"],
    ["127.0.0.1:1", "[::]:1"],
    ["localhost:1", "[::]:1"],
    ["ZEO:1", "zeo:1"],
  ])("a server at %s is a listener on %s", (server, listen) => {
    expect(reaches(read(server), read(listen))).toBe(true);
  });

  it("leaves another machine's server on the same port alone", () => {
    expect(reaches(read("10.0.0.5:8100"), read("0.0.0.0:8100"))).toBe(false);
    expect(reaches(read("zeo.example.com:8100"), read("[::]:8100"))).toBe(false);
    expect(reaches(read("[::1]:8100"), read("0.0.0.0:8100"))).toBe(false);
    expect(reaches(read("127.0.0.1:8100"), read("127.0.0.1:9100"))).toBe(false);
  });
});

describe("a Unix socket's path", () => {
  it.each([
    ["/run/zeo.sock", "/run/zeo.sock"],
    ["/run//zeo/./a:8100", "/run/zeo/a:8100"],
    [`/${"a".repeat(106)}`, `/${"a".repeat(106)}`],
  ])("%s is read, and written, in one spelling", (text, path) => {
    expect(parseAddress(text)).toEqual({ path });
    expect(formatAddress({ path })).toBe(path);
  });

  it.each(["/", "/run/", "/a\nb", "/a\u2028b", `/${"a".repeat(107)}`, `/${"\u00e9".repeat(54)}`, "run/zeo.sock"])(
    "%j is none",
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );

  it("is another place than a port, and the same as itself", () => {
    const [path, port] = [{ path: "/run/zeo.sock" }, { host: "127.0.0.1", port: 8100 }];
    expect([sameListener(path, { ...path }), reaches(path, { ...path })]).toEqual([true, true]);
    expect([sameListener(path, port), reaches(port, path), sameListener(path, { path: "/b" })]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
