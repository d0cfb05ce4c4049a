import { describe, expect, it } from "vitest";
import { connected } from "./script.ts";

/* What proves that the server's own message will not come. Session 1 commits, 2 looks on, 3 comes late. */

describe("old: only evidence on that very connection", () => {
  it("a message of a lower tid that is on the wire comes first", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 2)).toEqual(["ask 2", "1 < finish T2"]);
    expect(s.invalidation(2, 1, [4])).toEqual(["2 < T1 [4] as it is"]);
    expect(s.questionReply(2, 2)).toEqual(["2 < T2 [5] made up", "log T2: 0 completed, 1 made up"]);
  });

  it("and so does one of a commit that did not pass through here", () => {
    const s = connected("old");
    // A writer on the server's own port: session 1 is told of T1, the message for session 2 is on the wire.
    expect(s.invalidation(1, 1, [9])).toEqual(["foreign T1", "1 < T1 [9] as it is"]);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 2)).toEqual(["ask 2", "1 < finish T2"]);
    expect(s.invalidation(2, 1, [9])).toEqual(["2 < T1 [9] as it is"]);
    expect(s.questionReply(2, 2)).toEqual(["2 < T2 [5] made up", "log T2: 0 completed, 1 made up"]);
  });

  it("a message proves those of lower tids, and nothing of higher ones", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    s.finishing(1, { modified: [4], created: [6] });
    s.finishReply(1, 3);
    expect(s.invalidation(2, 2, [9])).toEqual([
      "2 < T1 [4 5] made up",
      "log T1: 0 completed, 1 made up",
      "foreign T2",
      "2 < T2 [9] as it is",
    ]);
    expect(s.invalidation(2, 3, [4])).toEqual(["2 < T3 [4 6] completed", "log T3: 1 completed, 0 made up"]);
  });

  it("a getInvalidations reply that shows its tid", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.getInvalidations(2);
    expect(s.getInvalidationsReply(2, 0, [1, [4]])).toEqual([
      "2 < T1 [4] made up",
      "log T1: 0 completed, 1 made up",
      "2 < getInvalidations(T0): T1 [4] as it is",
    ]);
  });

  it("not a vote's reply that nobody understands: it may show anything, and waits for what is due", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.ledger.voteUnclear(2, { payload: "vote", bytes: 10, order: 0 });
    expect(s.ledger.take()).toEqual([]);
    expect(s.invalidation(2, 1, [4])).toEqual(["2 < T1 [4] as it is", "2 < vote"]);
  });

  it("a load that was answered before comes first", () => {
    const s = connected("old");
    s.load(2);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    expect(s.loadReply(2, 0)).toEqual(["2 < load T0"]);
    expect(s.questionReply(2, 1)).toEqual(["2 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
  });

  it("and so it does for deleted and restored objects", () => {
    const s = connected("old");
    s.load(2);
    s.finishing(1, { deleted: [5], restored: [6] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    expect(s.loadReply(2, 0)).toEqual(["2 < load T0"]);
    expect(s.questionReply(2, 1)).toEqual(["2 < T1 [5 6] made up", "log T1: 0 completed, 1 made up"]);
  });

  it("evidence of a tid proves that a newcomer registered after it", () => {
    const s = connected("old", [1]);
    s.finishing(1, { modified: [4] });
    s.register(3);
    s.registerReply(3);
    s.lastTransaction(3);
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.lastTransactionReply(3, 1)).toEqual([
      "3 < T1 [4] made up",
      "log T1: 0 completed, 1 made up",
      "3 < lastTransaction T1",
    ]);
  });
});

describe("new: the reply to what was forwarded after the commit had settled", () => {
  it("proves it, also where it shows a conflict", () => {
    const s = connected("new");
    s.finishing(2, { created: [5] });
    s.finishReply(2, 1);
    s.begin(1, { modified: [4] });
    const order = s.vote(1);
    expect(order).toEqual([]);
    // The vote was forwarded after T1 had settled, so its reply proves that no message will come.
    expect(s.voteFailed(1, { cleared: false, shows: 1 })).toEqual([
      "1 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "1 < vote failed",
    ]);
  });

  it("proves it for all that had settled by then", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.finishing(1, { created: [6] });
    s.finishReply(1, 2);
    s.load(2);
    expect(s.loadReply(2, 0).filter((line) => line.startsWith("2 <"))).toEqual([
      "2 < T1 [5] made up",
      "2 < T2 [6] made up",
      "2 < load T0",
    ]);
  });

  it("proves it for lower tids, too, even those that settle later", () => {
    const s = connected("new", [1, 2, 3]);
    s.finishing(1, { created: [5] }); // T1
    s.finishing(2, { created: [6] }); // T2; 3 is told of neither
    s.finishReply(2, 2);
    expect(s.tick(1000)).toContain("ask 3");
    s.finishReply(1, 1);
    // The question was forwarded before T1 settled, but after T2 had.
    expect(s.questionReply(3, 2).filter((line) => line.startsWith("3 <"))).toEqual([
      "3 < T1 [5] made up",
      "3 < T2 [6] made up",
    ]);
  });

  it("the question proves it for a client that was skipped", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.tick(1000);
    expect(s.questionReply(2, 1)).toEqual(["2 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
  });

  it("proves nothing of what settled behind it, though an undo is among that", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.load(2);
    s.finishing(1, { created: [6] });
    s.finishReply(1, 2);
    s.finishing(1, { undoes: true });
    s.finishReply(1, 3);
    expect(s.loadReply(2, 0)).toEqual(["2 < T1 [5] made up", "log T1: 0 completed, 1 made up", "2 < load T0"]);
    expect(s.invalidation(2, 2, [])).toEqual(["2 < T2 [6] completed", "log T2: 1 completed, 0 made up"]);
  });
});
