import { describe, expect, it } from "vitest";
import { copiedHistory, COPYING_MS, isCopied } from "../../src/ledger/copied.ts";
import { connected, type Script } from "./script.ts";
import { history, settled, tidOf } from "./settled.ts";

/* Transactions whose tid the client names: `copyTransactionsFrom`. Session 1 commits, 2 looks on, 3 comes late. */

describe("below what is known", () => {
  it("nobody can be told in order, so everyone verifies", () => {
    const s = connected("new", [1, 2], 5);
    s.begin(1, { restored: [5], tid: 3 });
    s.finish(1);
    expect(s.finishReply(1, 3)).toEqual(["copied T3 below T5", "end 2: copied-history", "1 < finish T3"]);
    s.connected([3], 5);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 5, [5, []])).toEqual(["3 < getInvalidations(T5): None"]);
  });

  it("old: the reply with the tid that was named says that it is committed", () => {
    const s = connected("old", [1, 2], 5);
    s.invalidation(1, 10, [1]);
    s.invalidation(2, 10, [1]);
    s.finishing(1, { restored: [4], tid: 7 });
    expect(s.finishReply(1, 7)).toEqual(["copied T7 below T10", "end 2: copied-history", "1 < finish T7"]);
  });

  it("old: what an empty transaction was answered is known, too, and its client can't go on from there", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.invalidation(2, 1, [4]);
    s.finishing(2, {});
    s.finishReply(2, 3);
    s.finishing(1, { restored: [5], tid: 2 });
    expect(s.finishReply(1, 2)).toEqual(["copied T2 below T3", "end 2: copied-history", "1 < finish T2"]);
    s.connected([3], 3);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 3, [3, []])).toEqual(["3 < getInvalidations(T3): None"]);
  });

  it("its base is the tid before its own: evidence between that and what is known waits", () => {
    const s = connected("new", [1, 2], 10);
    s.invalidation(1, 10, []);
    s.invalidation(2, 10, []);
    s.finishing(1, { restored: [4], tid: 7 });
    s.load(2);
    s.load(2);
    expect(s.loadReply(2, 6)).toEqual(["2 < load T6"]);
    expect(s.loadReply(2, 8)).toEqual([]);
  });

  it("its base is the tid before its own where that is the newest that is known: evidence of that waits", () => {
    const s = connected("new", [1, 2], 10);
    s.invalidation(1, 10, []);
    s.invalidation(2, 10, []);
    s.finishing(1, { restored: [4], tid: 10 });
    s.load(2);
    expect(s.loadReply(2, 10)).toEqual([]);
  });

  it("its base is never above what is known, whatever the server has named as its last", () => {
    const s = connected("new", [1, 2], 5);
    s.finishing(1, { restored: [4], tid: 3 });
    s.load(2);
    expect(s.loadReply(2, 2)).toEqual([]);
  });
});

describe("above what is known", () => {
  it("is told like any other commit, even if another connection shows it before its own reply", () => {
    const s = connected("old");
    s.finishing(1, { restored: [5], tid: 3 });
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 3)).toEqual([]);
    expect(s.finishReply(1, 3)).toEqual([
      "1 < finish T3",
      "2 < T3 [5] made up",
      "log T3: 0 completed, 1 made up",
      "2 < lastTransaction T3",
    ]);
  });

  it("is told like any other commit in a database that was empty", () => {
    const s = connected("new");
    s.begin(1, { restored: [5], tid: 3 });
    s.finish(1);
    expect(s.finishReply(1, 3)).toEqual(["1 < finish T3"]);
    expect(s.invalidation(2, 3, [])).toEqual(["2 < T3 [5] completed", "log T3: 1 completed, 0 made up"]);
  });
});

describe("one behind the other", () => {
  function copies(s: Script, tid: number, now: number): string[] {
    s.begin(1, { restored: [tid], tid });
    s.finish(1);
    return s.finishReply(1, tid, now);
  }

  it("ends the others at the first, and once more when it has gone on for long", () => {
    const s = connected("new", [1, 2], 5);
    expect(copies(s, 2, 1000)).toEqual(["copied T2 below T5", "end 2: copied-history", "1 < finish T2"]);
    s.connected([3], 5);
    expect(copies(s, 3, 1100)).toEqual(["1 < finish T3"]);
    s.connected([4], 5);
    expect(s.tick(1000 + COPYING_MS - 1)).toEqual([]);
    expect(s.ledger.isOwing).toBe(true);
    // 4 has come behind the last of them.
    expect(s.tick(1000 + COPYING_MS)).toEqual(["copied T3 below T5", "end 3: copied-history"]);
    expect(s.ledger.isOwing).toBe(false);
    expect(copies(s, 4, 1100 + COPYING_MS)).toEqual(["1 < finish T4"]);
  });

  it("and when whoever copies has gone", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2, 0);
    s.connected([3], 5);
    copies(s, 3, 1);
    expect(s.tick(2)).toEqual([]);
    s.gone(1);
    expect(s.tick(3)).toEqual(["copied T3 below T5", "end 3: copied-history"]);
  });

  it("and at once when it begins anew later", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2, 1000);
    s.connected([3], 5);
    expect(copies(s, 3, 1000 + COPYING_MS)).toEqual(["copied T3 below T5", "end 3: copied-history", "1 < finish T3"]);
  });

  it("but not whoever has copied all of them", () => {
    const s = connected("new", [1, 2], 5);
    for (const tid of [1, 2, 3]) copies(s, tid, tid);
    s.connected([3], 5);
    copies(s, 4, 4);
    expect(s.tick(1 + COPYING_MS)).toEqual(["copied T4 below T5", "end 3: copied-history"]);
  });

  it("where two have copied each verifies what the other has", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2, 0);
    s.connected([3], 5);
    copies(s, 3, 1);
    s.begin(3, { restored: [4], tid: 4 });
    s.finish(3);
    s.finishReply(3, 4, 2);
    expect(s.tick(COPYING_MS)).toEqual(["copied T4 below T5", "end 1: copied-history", "end 3: copied-history"]);
  });

  it("who comes back between them verifies each time", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2, 0);
    copies(s, 3, 1);
    s.connected([3], 5);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 5, [5, []])).toEqual(["3 < getInvalidations(T5): None"]);
  });
});

describe("the server's own message of one that is told later by an end", () => {
  it.each(["before", "behind"] as const)("is not passed on, %s the reply to its finish", (order) => {
    const s = connected("new", [1, 2], 5);
    for (const tid of [2, 3]) {
      s.begin(1, { restored: [tid], tid });
      s.finish(1);
      if (tid === 2) s.finishReply(1, 2, 1000);
    }
    s.connected([3], 5);
    if (order === "before") expect(s.invalidation(3, 3, [])).toEqual([]);
    expect(s.finishReply(1, 3, 1001)).toEqual(["1 < finish T3"]);
    if (order === "behind") expect(s.invalidation(3, 3, [])).toEqual([]);
    expect(s.ledger.heldBytes(3)).toBe(0);
    expect(s.tick(1000 + COPYING_MS)).toEqual(["copied T3 below T5", "end 3: copied-history"]);
  });
});

it("of ten thousand it is known that they were copied; then the oldest is forgotten", () => {
  const state = history();
  for (let n = 1; n <= 10_000; n++) copiedHistory(state, settled(n), 0, []);
  expect(isCopied(state, tidOf(1))).toBe(true);
  copiedHistory(state, settled(10_001), 0, []);
  expect([1, 2, 10_001].map((n) => isCopied(state, tidOf(n)))).toEqual([false, true, true]);
});
