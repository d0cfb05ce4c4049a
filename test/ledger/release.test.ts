import { describe, expect, it } from "vitest";
import { connected } from "./script.ts";

/* What is held, and how long. Session 1 commits, 2 looks on, 3 comes late. */

describe("evidence waits for commits that are finishing", () => {
  it("whose base is known when the tpc_finish is forwarded, a tid from a mere invalidation included", () => {
    const s = connected("old", [1, 2, 3]);
    s.lastTransaction(2);
    s.lastTransaction(2);
    s.invalidation(1, 1, [9]); // foreign
    s.invalidation(2, 1, [9]);
    s.finishing(1, { created: [5] });
    expect(s.lastTransactionReply(2, 1)).toEqual(["2 < lastTransaction T1"]);
    expect(s.lastTransactionReply(2, 2)).toEqual([]);
  });

  it("and not for those that were forwarded behind it", () => {
    const s = connected("new", [1, 2, 3]);
    s.load(2);
    s.finishing(1, { created: [5] });
    expect(s.loadReply(2, 1)).toEqual([]);
    s.finishing(3, { created: [6] });
    expect(s.finishReply(1, undefined)).toContain("2 < load T1");
  });

  it("and not where nothing is finishing: tids that nobody here explains hold nothing", () => {
    const s = connected("old");
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 7)).toEqual(["2 < lastTransaction T7"]);
  });
});

describe("evidence waits for what is due", () => {
  it("new: a lastTransaction reply that overtakes the invalidation", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    s.finishReply(1, 1);
    expect(s.lastTransactionReply(2, 1)).toEqual([]);
    expect(s.invalidation(2, 1, [])).toEqual([
      "2 < T1 [5] completed",
      "log T1: 1 completed, 0 made up",
      "2 < lastTransaction T1",
    ]);
  });

  it("new: a getInvalidations reply that overtakes the invalidation", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.getInvalidations(2);
    s.finishReply(1, 1);
    expect(s.getInvalidationsReply(2, 0, [1, []])).toEqual([]);
    expect(s.invalidation(2, 1, [])).toEqual([
      "2 < T1 [5] completed",
      "log T1: 1 completed, 0 made up",
      "2 < getInvalidations(T0): T1 [5]",
    ]);
  });

  it("new: a conflict in the reply to a vote that was forwarded before", () => {
    const s = connected("new");
    s.begin(1, { modified: [4] });
    s.vote(1);
    s.finishing(2, { created: [5] });
    s.finishReply(2, 1);
    expect(s.voteFailed(1, { cleared: false, shows: 1 })).toEqual([]);
    expect(s.invalidation(1, 1, [])).toEqual([
      "1 < T1 [5] completed",
      "log T1: 1 completed, 0 made up",
      "1 < vote failed",
    ]);
  });
});
