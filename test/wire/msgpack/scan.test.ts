import { describe, expect, it } from "vitest";
import { MAX_DECODED, MAX_DEPTH, PRICE_MAP } from "../../../src/wire/bounds.ts";
import { ProtocolError } from "../../../src/wire/errors.ts";
import { scanMsgpack } from "../../../src/wire/msgpack/scan.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

const VALUES: readonly string[] = [
  "c0",
  "90",
  "80",
  "91 c0",
  "93 01 02 03",
  "82 01 02 03 04",
  "81 93 01 02 03 81 01 90",
  "c4 03 616263",
  "93 c4 01 61 a1 62 92 81 c0 c0 cb 3ff8000000000000",
  "dc 0002 c0 dd 00000001 de 0001 01 02",
  "d4 01 61",
];

describe("scanMsgpack", () => {
  it.each(VALUES)("finds the end of %s", (text) => {
    const bytes = hex(text);
    expect(scanMsgpack(bytes, 0)).toBe(bytes.length);
    expect(scanMsgpack(Buffer.concat([hex("ff"), bytes, bytes]), 1, true)).toBe(1 + bytes.length);
  });

  it.each(VALUES)("refuses %s, wherever it is cut", (text) => {
    const bytes = hex(text);
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(() => scanMsgpack(bytes.subarray(0, cut), 0), `cut at ${cut}`).toThrow(ProtocolError);
    }
  });

  it("allows so many levels and no more", () => {
    const nested = (levels: number): Buffer => Buffer.concat([Buffer.alloc(levels, 0x91), hex("c0")]);
    expect(scanMsgpack(nested(MAX_DEPTH), 0)).toBe(MAX_DEPTH + 1);
    expect(() => scanMsgpack(nested(MAX_DEPTH + 1), 0)).toThrow(/levels/);
  });

  it("refuses counts that the bytes can't hold, before it goes on", () => {
    expect(() => scanMsgpack(hex("dd ffffffff c0"), 0)).toThrow(/4294967295 values/);
    expect(() => scanMsgpack(hex("82 01 02 03"), 0)).toThrow(/4 values/);
  });

  it("adds up what the value would take, where that is asked for", () => {
    const count = Math.floor(MAX_DECODED / PRICE_MAP) + 1;
    const header = Buffer.from([0xdd, 0, 0, 0, 0]);
    header.writeUInt32BE(count, 1);
    const maps = Buffer.concat([header, Buffer.alloc(count, 0x80)]);
    expect(scanMsgpack(maps, 0)).toBe(maps.length);
    expect(() => scanMsgpack(maps, 0, true)).toThrow(/in memory/);
  });
});
