import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asTid, NO_TID, readTid, tidAt, tidBytes, tidHex, tidTimeMs } from "../../src/wire/ids.ts";

describe("a tid", () => {
  it("is eight bytes, big-endian, without a sign", () => {
    const all = asTid(0xffffffffffffffffn);
    expect(tidBytes(all)).toEqual(Buffer.alloc(8, 0xff));
    expect(readTid(Buffer.alloc(8, 0xff))).toBe(all);
    expect(readTid(Buffer.from("ff0000000000000102", "hex"), 1)).toBe(0x102n);
    expect(() => readTid(Buffer.alloc(7))).toThrow(RangeError);
    expect(() => readTid(Buffer.alloc(8), 1)).toThrow(RangeError);
    expect(NO_TID).toBe(0n);
  });

  it("comes back from its bytes and from its hex digits, and grows as they do", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (a, b) => {
        const [x, y] = [asTid(a), asTid(b)];
        expect(readTid(tidBytes(x))).toBe(x);
        expect(tidHex(x)).toBe(tidBytes(x).toString("hex"));
        expect(Buffer.compare(tidBytes(x), tidBytes(y)) < 0).toBe(x < y);
      }),
    );
  });

  // As persistent.TimeStamp.TimeStamp of persistent 6 reads and writes them.
  it.each([
    ["03c46f4eb0eaaf22", "2017-12-28T11:58:41.464Z"],
    ["0000000000000000", "1900-01-01T00:00:00.000Z"],
    ["023c2b0000000000", "1970-01-01T00:00:00.000Z"],
    ["0400000080000000", "2025-04-11T09:04:30.000Z"],
    ["0332b37ffffee861", "2000-02-29T23:59:59.999Z"],
    ["040d3ca80ddddddd", "2026-11-24T19:20:03.250Z"],
  ])("%s names the moment %s", (hex, time) => {
    const ms = tidTimeMs(asTid(BigInt(`0x${hex}`)));
    expect(Math.abs(ms - Date.parse(time))).toBeLessThan(1);
  });

  it("comes back from the moment that it names", () => {
    const moments = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2200, 0, 1) });
    fc.assert(
      fc.property(moments, (ms) => {
        expect(Math.abs(tidTimeMs(tidAt(ms)) - ms)).toBeLessThan(1);
      }),
    );
    fc.assert(
      fc.property(moments, moments, (a, b) => {
        if (a < b) expect(tidAt(a) < tidAt(b)).toBe(true);
      }),
    );
  });
});
