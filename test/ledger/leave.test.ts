import { describe, expect, it } from "vitest";
import { connected, Script } from "./script.ts";

/* Clients that go, with and without a `tpc_finish` on its way. Session 1 commits, 2 looks on, 3 comes late. */

describe("an orphan", () => {
  it("commits all the same", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    expect(s.gone(1)).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual(["close server 1"]);
    expect(s.invalidation(2, 1, [])).toEqual(["2 < T1 [5] completed", "log T1: 1 completed, 0 made up"]);
  });

  it("is owed nothing: what settles while it is read can be forgotten once the others know", () => {
    const s = new Script("new", {}, 0);
    s.connected([1, 2, 3]);
    s.finishing(1, { created: [5] });
    s.finishing(2, { created: [6] });
    s.gone(1);
    s.finishReply(2, 2);
    s.finishReply(1, 1);
    s.invalidation(2, 1, []);
    s.invalidation(3, 1, []);
    expect(s.invalidation(3, 2, [])).toEqual(["3 < T2 [6] completed", "log T2: 1 completed, 0 made up"]);
  });
});

describe("a client that is still to be told", () => {
  it("is not waited for", () => {
    const s = connected("old", [1, 2, 3]);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "ask 3", "1 < finish T1"]);
    s.questionReply(2, 1);
    expect(s.gone(3)).toEqual(["log T1: 0 completed, 1 made up", "close server 3"]);
  });
});

describe("a commit that is over", () => {
  it("is over for itself alone, though its reply is read once more: who waits for another's goes on waiting", () => {
    const s = connected("old", [1, 2, 3]);
    s.finishing(1, { created: [5] });
    s.load(2);
    expect(s.loadReply(2, 1)).toEqual([]);
    s.begin(3, {});
    s.finish(3);
    expect(s.serverGone(3)).toEqual(["close client 3"]);
    expect(s.finishReply(3, undefined)).toEqual([]);
    expect(s.ledger.isFinishing(1)).toBe(true);
    expect(s.finishReply(1, 1)).toContain("2 < load T1");
  });
});
