import { describe, expect, it } from "vitest";
import { codecFor } from "../../src/wire/codecs.ts";
import { Horizon } from "../../src/wire/horizon.ts";
import { ANY_TID, asTid, NO_TID, tidBytes } from "../../src/wire/ids.ts";
import { PyTuple, type Value } from "../../src/wire/value.ts";
import { wordAt } from "../../src/wire/words.ts";

const at = (tid: bigint): Horizon => {
  const horizon = new Horizon();
  horizon.set(asTid(tid));
  return horizon;
};

const words = (tid: bigint): [number, number] => {
  const bytes = tidBytes(asTid(tid));
  return [wordAt(bytes, 0), wordAt(bytes, 4)];
};

describe("a horizon", () => {
  it("is open at first, and above all tids", () => {
    const horizon = new Horizon();
    expect(horizon.isOpen).toBe(true);
    horizon.set(NO_TID);
    expect(horizon.isOpen).toBe(false);
    horizon.set(ANY_TID);
    expect([horizon.isOpen, horizon.isBelow(-1, -1)]).toEqual([true, false]);
  });

  it.each([
    [0x03e8_0000_0000_1111n, 0x03e8_0000_0000_1111n],
    [0x03e8_0000_ffff_ffffn, 0x03e8_0000_ffff_ffffn],
    [0x03e8_0000_ffff_ffffn, 0x03e8_0001_0000_0000n],
    [0x83e8_0000_8000_0000n, 0x83e8_0000_8000_0001n],
    [0x83e8_0000_0000_0000n, 0x03e8_0000_0000_0000n],
    [0x03e8_0000_0000_0000n, 0x83e8_0000_0000_0000n],
    [0x03e8_0000_0000_0000n, 0x03e8_0000_0000_0001n],
    [0x03e8_0000_0000_0000n, 0x03e8_0000_0000_0002n],
    [0n, 0n],
    [0n, 1n],
  ])("at %i compares %i as numbers do", (tid, other) => {
    expect(at(tid).isBelow(...words(other))).toBe(other > tid);
    // What is lower than it.
    expect(at(tid).isBelowPrevious(...words(other))).toBe(other - 1n > tid);
  });
});

const SERIAL = 0x03e8_0000_0000_1111n;
const END = 0x03e8_0000_0000_2222n;

describe.each(["pickle1", "pickle3", "pickle3-zeo4", "msgpack", "msgpack-py2"] as const)(
  "a load's end, %s",
  (dialect) => {
    const codec = codecFor(dialect.startsWith("msgpack") ? "msgpack" : "pickle");
    const isBelow = (tid: bigint, bytes: number, ...items: Value[]): boolean => {
      // Data ends like a record's, with a reference to an object.
      const data = Buffer.concat([Buffer.alloc(bytes, 1), Buffer.from("5508", "hex"), tidBytes(asTid(77n))]);
      const reply = codec.encode(dialect, 5, 0, ".reply", new PyTuple([data, ...items]));
      const around = Buffer.concat([Buffer.alloc(9, 0xff), reply, Buffer.alloc(9, 0xff)]);
      return at(tid).isBelowAny(around, 9, 9 + reply.length);
    };

    it.each([
      ["a serial", [tidBytes(asTid(SERIAL))], SERIAL],
      ["a serial and no end", [tidBytes(asTid(SERIAL)), null], SERIAL],
      ["a serial and an end", [tidBytes(asTid(SERIAL)), tidBytes(asTid(END))], END],
      ["a serial twice", [tidBytes(asTid(SERIAL)), tidBytes(asTid(SERIAL))], SERIAL],
      ["a serial and a version", [tidBytes(asTid(SERIAL)), ""], SERIAL],
    ] satisfies [string, Value[], bigint][])("%s", (_, items, newest) => {
      for (const bytes of [0, 20, 5000]) {
        expect([isBelow(newest, bytes, ...items), isBelow(newest - 1n, bytes, ...items)]).toEqual([false, true]);
      }
    });
  },
);

it("a short frame is looked at up to its beginning, and not before", () => {
  const short = Buffer.concat([Buffer.from("4308", "hex"), tidBytes(asTid(SERIAL))]);
  expect(at(NO_TID).isBelowAny(short, 0, short.length)).toBe(true);
  expect(at(NO_TID).isBelowAny(short, 2, short.length)).toBe(false);
  expect(at(NO_TID).isBelowAny(short, 0, 5)).toBe(false);
});
