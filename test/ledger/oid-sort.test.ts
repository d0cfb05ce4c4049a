import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sorted } from "../../src/ledger/oid-sort.ts";
import { packed } from "./script.ts";

const MANY = 8192;

/** As `sorted` is to do it, one by one. */
function expected(oids: Buffer): Buffer {
  const list = Array.from({ length: oids.length / 8 }, (_, i) => oids.subarray(i * 8, i * 8 + 8));
  return Buffer.concat(list.sort((a, b) => a.compare(b)));
}

/** Oids of these bits, at random; `places`: which of the eight bytes differ. */
function random(count: number, places: readonly number[], seed: number): Buffer {
  const oids = Buffer.alloc(count * 8, 0x80);
  let state = seed;
  for (let i = 0; i < count; i++) {
    for (const place of places) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      oids[i * 8 + place] = state >>> 24;
    }
  }
  return oids;
}

describe.each([MANY - 1, MANY, MANY + 1, 20_000])("%i oids", (count) => {
  it.each([[[7]], [[0]], [[4, 5, 6, 7]], [[2, 3]], [[0, 1, 2, 3, 4, 5, 6, 7]], [[1, 6]], [[]]])(
    "that differ in the bytes %j are sorted by unsigned value, each as often as it stands there",
    (places) => {
      const oids = random(count, places, count);
      const before = Buffer.from(oids);
      expect(sorted(oids).equals(expected(oids))).toBe(true);
      expect(oids.equals(before)).toBe(true);
    },
  );

  it("in memory of their own, out of a larger one", () => {
    const room = Buffer.concat([Buffer.from([1, 2, 3]), random(count, [6, 7], 5), Buffer.from([9])]);
    const oids = room.subarray(3, 3 + count * 8);
    const result = sorted(oids);
    expect(result.equals(expected(oids))).toBe(true);
    expect(result.buffer.byteLength).toBe(oids.length);
  });
});

it("few oids are sorted as many are", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 30 }), (values) => {
      const oids = Buffer.alloc(values.length * 8);
      for (const [i, value] of values.entries()) oids.writeBigUInt64BE(value, i * 8);
      expect(sorted(oids).equals(expected(oids))).toBe(true);
      const many = Buffer.concat([oids, packed(Array.from({ length: MANY }, (_, n) => n))]);
      expect(sorted(many).equals(expected(many))).toBe(true);
    }),
    { numRuns: 30 },
  );
});
