import { describe, expect, it } from "vitest";
import { oidSet } from "../../src/ledger/oid-set.ts";
import { completed, unionOf } from "../../src/ledger/resumed.ts";
import { newState } from "../../src/ledger/state.ts";
import { numbers, packed } from "./script.ts";

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, n) => from + n);
const setOf = (from: number, count: number): Buffer => oidSet(packed(range(from, count)));
/** Of what is kept for the others that come back. */
const MANY = 2048;

describe("what is large is worked out once for all who come back together", () => {
  it("all oids of the sets, as long as these are the same", () => {
    const state = newState<never>("new");
    const [one, other] = [setOf(0, MANY), setOf(MANY - 10, MANY)];
    const union = unionOf(state, [one, other]);
    expect(numbers(union)).toEqual(range(0, 2 * MANY - 10));
    expect(unionOf(state, [one, other])).toBe(union);
    expect(numbers(unionOf(state, [one, setOf(9_000, 1)]))).toEqual([...range(0, MANY), 9_000]);
    const more = unionOf(state, [one, other, setOf(9_000, 1)]);
    expect(numbers(more)).toEqual([...range(0, 2 * MANY - 10), 9_000]);
    expect(numbers(unionOf(state, [one]))).toEqual(range(0, MANY));
    expect(numbers(unionOf(state, [one, setOf(1, 1)]))).toEqual(range(0, MANY));
    expect(numbers(unionOf(state, [setOf(1, MANY), one]))).toEqual(range(0, MANY + 1));
    expect(unionOf(state, [])).toHaveLength(0);
  });

  it("for each storage", () => {
    const [one, other] = [newState<never>("new"), newState<never>("new")];
    const set = setOf(0, MANY);
    const union = unionOf(one, [set]);
    expect(unionOf(other, [set])).not.toBe(union);
    expect(unionOf(one, [set])).toBe(union);
  });

  it("not what is small", () => {
    const state = newState<never>("new");
    for (const [count, isKept] of [
      [MANY - 1, false],
      [MANY, true],
    ] as const) {
      const oids = setOf(0, count);
      expect(unionOf(state, [oids]) === unionOf(state, [oids])).toBe(isKept);
    }
  });

  it("the server's answer with what it lacks, as long as that is the same", () => {
    const state = newState<never>("new");
    const ours = unionOf(state, [setOf(0, MANY)]);
    const answer = (last: number): Buffer => packed([last, ...range(0, MANY - 1)]);
    const first = completed(state, ours, answer(7000));
    expect(numbers(first.missing)).toEqual([MANY - 1]);
    expect(numbers(first.oids)).toEqual([7000, ...range(0, MANY - 1), MANY - 1]);
    expect(completed(state, ours, answer(7000))).toBe(first);
    expect(numbers(completed(state, ours, answer(7001)).oids)).toEqual([7001, ...range(0, MANY - 1), MANY - 1]);
    const whole = packed(range(0, MANY));
    expect(completed(state, ours, whole)).toMatchObject({ missing: Buffer.alloc(0), oids: whole });
  });

  it("not where limbo is added: that is worked out for each", () => {
    const state = newState<never>("new");
    unionOf(state, [setOf(0, MANY)]);
    const [ours, answer] = [setOf(0, MANY + 1), packed(range(0, MANY))];
    const one = completed(state, ours, answer);
    expect(numbers(one.missing)).toEqual([MANY]);
    expect(completed(state, ours, answer)).not.toBe(one);
    expect(numbers(completed(newState<never>("old"), ours, answer).missing)).toEqual([MANY]);
  });
});
