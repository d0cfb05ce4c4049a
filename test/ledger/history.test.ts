import { describe, expect, it } from "vitest";
import { completion, hear, madeUp, oidsBetween, settledAt, settledBetween } from "../../src/ledger/history.ts";
import { numbers, packed } from "./script.ts";
import { history, settled, tidOf } from "./settled.ts";

describe("what has settled", () => {
  it("is kept by tid, in whatever order it settled", () => {
    const state = history(settled(5, [1]), settled(2, [2]), settled(9, [3]));
    expect(state.history.map((one) => one.tid)).toEqual([2n, 5n, 9n]);
    expect(settledAt(state, tidOf(5))?.order).toBe(5);
    expect(settledAt(state, tidOf(4))).toBeUndefined();
    expect(settledAt(state, tidOf(0))).toBeUndefined();
  });

  it("counts with eight bytes for each oid, beside what any commit counts", () => {
    expect(history(settled(2, [1, 2])).historyBytes - history(settled(2, [])).historyBytes).toBe(16);
  });

  it("between two tids: above the first, up to the second", () => {
    const state = history(settled(2, []), settled(5, []), settled(9, []));
    expect(settledBetween(state, tidOf(2), tidOf(9)).map((one) => one.tid)).toEqual([5n, 9n]);
    expect(settledBetween(state, tidOf(9), tidOf(2))).toEqual([]);
  });
});

describe("the server's own message", () => {
  it("keeps its oids as they are, and gets the missing ones behind them", () => {
    const commit = settled(2, [1, 4]);
    const state = history(commit);
    const announcement = completion(state, commit, { tid: tidOf(2), oids: packed([9, 1, 9]) });
    expect(numbers(announcement?.oids ?? packed([]))).toEqual([9, 1, 9, 4]);
    expect(numbers(commit.oids)).toEqual([1, 4, 9]);
    expect(numbers(commit.added ?? packed([]))).toEqual([4]);
  });

  it("needs no repair where it names everything", () => {
    const commit = settled(2, [1, 4]);
    expect(completion(history(commit), commit, { tid: tidOf(2), oids: packed([4, 1, 9]) })).toBeUndefined();
  });

  it("is completed once for all who get the same one, and anew where more has been heard since", () => {
    const commit = settled(2, [1], { owed: new Set([2, 3]) });
    const state = history(commit);
    const args = { tid: tidOf(2), oids: packed([]) };
    const first = completion(state, commit, args);
    expect(completion(state, commit, args)).toBe(first);
    hear(state, commit, { tid: tidOf(2), oids: packed([8]) });
    expect(numbers(completion(state, commit, args)?.oids ?? packed([]))).toEqual([1, 8]);
  });

  it("is not kept completed where nobody is to be told: of a large commit it is large", () => {
    const commit = settled(2, [1]);
    completion(history(commit), commit, { tid: tidOf(2), oids: packed([]) });
    expect(commit.lastOwn).toBeUndefined();
  });

  it("says by its first copy what the server does not name", () => {
    const commit = settled(2, [1, 4]);
    const state = history(commit);
    hear(state, commit, { tid: tidOf(2), oids: packed([1]) });
    hear(state, commit, { tid: tidOf(2), oids: packed([1, 4]) });
    expect(numbers(commit.added ?? packed([]))).toEqual([4]);
  });

  it("makes the set of an undo complete, and counts in the size of the history", () => {
    const commit = settled(2, [1], { complete: false });
    const state = history(commit);
    const before = state.historyBytes;
    hear(state, commit, { tid: tidOf(2), oids: packed([8]) });
    expect(commit.complete).toBe(true);
    expect(state.historyBytes).toBe(before + 8);
  });
});

describe("madeUp", () => {
  it("is one announcement for all, until more has been heard", () => {
    const commit = settled(2, [1]);
    const state = history(commit);
    const made = madeUp(commit);
    hear(state, commit, { tid: tidOf(2), oids: packed([1]) });
    expect(madeUp(commit)).toBe(made);
    hear(state, commit, { tid: tidOf(2), oids: packed([8]) });
    expect(numbers(madeUp(commit).oids)).toEqual([1, 8]);
  });
});

describe("oidsBetween", () => {
  it("is the union of the complete sets", () => {
    const state = history(settled(2, [1]), settled(5, [3, 2]), settled(9, [2, 4]));
    expect(numbers(oidsBetween(state, tidOf(2), tidOf(9), tidOf(9)) ?? packed([]))).toEqual([2, 3, 4]);
    expect(numbers(oidsBetween(state, tidOf(9), tidOf(9), tidOf(9)) ?? packed([7]))).toEqual([]);
  });

  it("is unknown where an undo's is, unless the server has told it", () => {
    const state = history(settled(2, [1], { complete: false }));
    expect(oidsBetween(state, tidOf(0), tidOf(2), tidOf(1))).toBeUndefined();
    expect(numbers(oidsBetween(state, tidOf(0), tidOf(2), tidOf(2)) ?? packed([]))).toEqual([1]);
  });
});
