import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  append,
  built,
  difference,
  intersection,
  isSubset,
  newBuilder,
  NO_OIDS,
  oidCount,
  oidSet,
  refusedAlways,
  union,
} from "../../src/ledger/oid-set.ts";
import { numbers, packed } from "./script.ts";

/** Few values, so that lists repeat themselves and overlap; some that need all eight bytes, and the sign bits. */
const oid = fc.oneof(
  fc.integer({ min: 0, max: 12 }),
  fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 40, 2 ** 53 - 1),
);
const list = fc.array(oid, { maxLength: 24 });

const ascending = (oids: Iterable<number>): number[] => [...new Set(oids)].sort((a, b) => a - b);

describe("oidSet", () => {
  it("sorts by unsigned value and holds each once, as a Set does", () => {
    fc.assert(
      fc.property(list, (oids) => {
        const before = packed(oids);
        const set = oidSet(before);
        expect(numbers(set)).toEqual(ascending(oids));
        expect(oidCount(set)).toBe(new Set(oids).size);
        expect(before).toEqual(packed(oids));
      }),
    );
  });

  it("sorts the highest oid last", () => {
    const high = Buffer.from("ffffffffffffffff", "hex");
    expect(oidSet(Buffer.concat([high, packed([1]), high]))).toEqual(Buffer.concat([packed([1]), high]));
  });

  it.each([[[]], [[7]], [[7, 7, 7]], [[9, 7, 8]]])("keeps nothing of what it was made of: %j", (oids) => {
    const given = packed(oids);
    expect(oidSet(given).buffer).not.toBe(given.buffer);
  });

  it("of many oids keeps no memory but its own", () => {
    const many = Array.from({ length: 500 }, (_, n) => n);
    for (const oids of [many, [...many, ...many], many.toReversed()]) {
      const set = oidSet(packed(oids));
      expect(set.buffer.byteLength).toBe(set.length);
    }
  });

  it("takes a view into a larger, unaligned buffer", () => {
    const bytes = Buffer.concat([Buffer.from([9, 9, 9]), packed([5, 3, 5]), Buffer.from([9])]);
    expect(numbers(oidSet(bytes.subarray(3, 27)))).toEqual([3, 5]);
  });
});

describe("union, difference, intersection, isSubset", () => {
  it("do what they do on a Set", () => {
    fc.assert(
      fc.property(list, list, (a, b) => {
        const x = oidSet(packed(a));
        const y = oidSet(packed(b));
        expect(numbers(union(x, y))).toEqual(ascending([...a, ...b]));
        expect(numbers(difference(x, y))).toEqual(ascending(a).filter((one) => !b.includes(one)));
        expect(numbers(intersection(x, y))).toEqual(ascending(a).filter((one) => b.includes(one)));
        expect(isSubset(packed(a), y)).toBe(a.every((one) => b.includes(one)));
        expect(numbers(x)).toEqual(ascending(a));
        expect(numbers(y)).toEqual(ascending(b));
      }),
    );
  });

  it("give back the same buffer where nothing changes", () => {
    const set = oidSet(packed([1, 2, 3]));
    expect(union(set, NO_OIDS)).toBe(set);
    expect(union(set, oidSet(packed([2])))).toBe(set);
    expect(difference(set, NO_OIDS)).toBe(set);
  });
});

describe("refusedAlways", () => {
  it("names an oid that was refused as often as it was stored", () => {
    fc.assert(
      fc.property(list, list, (stored, refused) => {
        const count = (oids: readonly number[], one: number): number => oids.filter((other) => other === one).length;
        const expected = ascending(stored).filter((one) => count(refused, one) >= count(stored, one));
        expect(numbers(refusedAlways(packed(stored), packed(refused)))).toEqual(expected);
      }),
    );
  });
});

describe("a builder", () => {
  it("holds what was appended, in order, from any offset", () => {
    fc.assert(
      fc.property(fc.array(oid, { maxLength: 100 }), fc.integer({ min: 0, max: 9 }), (oids, offset) => {
        const builder = newBuilder();
        for (const one of oids) append(builder, Buffer.concat([Buffer.alloc(offset, 9), packed([one])]), offset);
        expect(numbers(built(builder))).toEqual(oids);
      }),
    );
  });

  it("does not share memory with an empty one", () => {
    const first = newBuilder();
    const second = newBuilder();
    append(first, packed([1]), 0);
    append(second, packed([2]), 0);
    expect(numbers(built(first))).toEqual([1]);
    expect(numbers(built(second))).toEqual([2]);
  });
});
