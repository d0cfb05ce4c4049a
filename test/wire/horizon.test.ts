import { describe, expect, it } from "vitest";
import { Horizon } from "../../src/wire/horizon.ts";
import { ANY_TID, asTid, NO_TID, tidBytes } from "../../src/wire/ids.ts";
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

it("a short frame is looked at up to its beginning, and not before", () => {
  const short = Buffer.concat([Buffer.from("4308", "hex"), tidBytes(asTid(0x03e8_0000_0000_1111n))]);
  expect(at(NO_TID).isBelowAny(short, 0, short.length)).toBe(true);
  expect(at(NO_TID).isBelowAny(short, 2, short.length)).toBe(false);
  expect(at(NO_TID).isBelowAny(short, 0, 5)).toBe(false);
});
