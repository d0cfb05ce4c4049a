import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlainCalls } from "../../src/session/plain-calls.ts";
import type { MessageId } from "../../src/wire/codec.ts";
import { idOfPair } from "../../src/wire/message-id.ts";

const pairOf = (n: number): MessageId => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(n, 4);
  bytes.writeUInt32BE(0x8000_0000 + n, 12);
  return idOfPair(bytes, 0, bytes, 8);
};

/** Ids of every kind, each of another number. */
const idOf = (n: number): MessageId => [n, pairOf(n), `bytes:${n}`, 2 ** 40 + n][n % 4] as MessageId;

describe("calls that wait", () => {
  it.each([1, 8, 9, 64, 65, 1_024, 1_025, 5_000])("are found in the order of sending: %i of them", (count) => {
    for (const id of [(n: number) => n, pairOf, idOf]) {
      const calls = new PlainCalls();
      for (let round = 0; round < 3; round++) {
        for (let n = 0; n < count; n++) calls.add(id(n), n);
        expect(calls.size).toBe(count);
        const others = Array.from({ length: count }, (_, n) => calls.take(id(n))).filter((got, n) => got !== n);
        expect(others).toEqual([]);
        expect([calls.size, calls.bytes]).toEqual([0, 0]);
      }
    }
  });

  it("are told from each other where an integer has the words of a pair", () => {
    const words = idOfPair(Buffer.from("0000000700000000", "hex"), 0, Buffer.alloc(8), 0);
    for (const others of [0, 1]) {
      const calls = new PlainCalls();
      for (let n = 0; n < others; n++) calls.add(pairOf(n), n);
      calls.add(7, 70);
      expect([calls.find(words), calls.take(words)]).toEqual([undefined, undefined]);
      calls.add(words, 71);
      expect([calls.take(words), calls.take(7), calls.size]).toEqual([71, 70, others]);
    }
  });

  it("are found in any other order, and cost no more for it than a map", () => {
    const calls = new PlainCalls();
    for (let n = 0; n < 100_000; n++) calls.add(n, n);
    let found = 0;
    for (let n = 99_999; n >= 0; n--) if (calls.take(n) === n) found++;
    for (let n = 0; n < 1_000; n++) calls.add(n, n);
    for (let n = 999; n >= 0; n--) if (calls.take(n) === n) found++;
    expect(found).toBe(101_000);
    expect(calls.size).toBe(0);
  });

  it("may wait for long while others come and go", () => {
    const calls = new PlainCalls();
    calls.add(pairOf(0), 77);
    for (let n = 1; n < 5_000; n++) {
      calls.add(pairOf(n), n);
      if (calls.take(pairOf(n)) !== n) expect.unreachable(`${n}`);
    }
    expect(calls.size).toBe(1);
    expect(calls.find(pairOf(0))).toBe(77);
    expect(calls.take(pairOf(0))).toBe(77);
    expect(calls.take(pairOf(0))).toBeUndefined();
  });

  it("are not those that were answered", () => {
    const calls = new PlainCalls();
    for (let n = 0; n < 10; n++) calls.add(n, n);
    expect(calls.take(5)).toBe(5);
    expect([calls.take(5), calls.find(5), calls.size]).toEqual([undefined, undefined, 9]);
    // An id may come again.
    calls.add(5, 50);
    expect(calls.find(5)).toBe(50);
    for (const n of [0, 1, 2, 3, 4, 6, 7, 8, 9]) expect(calls.take(n)).toBe(n);
    expect(calls.take(5)).toBe(50);
  });

  it("take no more memory when most of them are gone", () => {
    const calls = new PlainCalls();
    for (let n = 0; n < 500; n++) calls.add(n, n);
    const many = calls.bytes;
    for (let n = 0; n < 500; n++) calls.take(n);
    calls.add(1, 1);
    expect(calls.bytes).toBeLessThan(many / 10);
  });

  it("are what a list of them has, whatever comes", () => {
    const step = fc.record({
      isNew: fc.boolean(),
      n: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 3_000 })),
      times: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1_500 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const calls = new PlainCalls();
        const model = new Map<MessageId, number>();
        let note = 0;
        for (const { isNew, n, times } of steps) {
          for (let i = n; i < n + times; i++) {
            const id = idOf(i);
            if (!isNew) {
              const got = calls.take(id);
              if (got !== model.get(id)) expect.unreachable(`${got} for ${id}, not ${model.get(id)}`);
              model.delete(id);
            } else if (!model.has(id)) {
              calls.add(id, ++note);
              model.set(id, note);
            }
          }
          expect(calls.size).toBe(model.size);
        }
        const others = [...model].filter(([id, own]) => calls.find(id) !== own);
        expect(others).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
