import { describe, expect, it } from "vitest";
import { Script } from "../ledger/script.ts";

/* What random walks have found, by hand. Session 1 and 2 commit, 3 looks on. */

describe("new: two commits finishing at once, and a client that the server skips", () => {
  it("the message of the later one waits until the earlier one is over", () => {
    const s = new Script("new");
    s.connected([1, 2, 3]);
    s.finishing(1, { created: [5] }); // T1, of which the server does not tell 3
    s.finishing(2, { created: [6] }); // T2
    s.finishReply(2, 2);
    expect(s.invalidation(3, 2, [])).toEqual([]);
    expect(s.finishReply(1, 1).filter((line) => line.startsWith("3 <"))).toEqual([
      "3 < T1 [5] made up",
      "3 < T2 [6] completed",
    ]);
  });

  it("what proves that a message will not come proves it for lower tids, too", () => {
    const s = new Script("new");
    s.connected([1, 2, 3]);
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
});

describe("a server's connection that has ended", () => {
  it("old: what nothing shows is not made up: a foreign commit of a lower tid may be missing", () => {
    const s = new Script("old");
    s.connected([1, 3]);
    s.invalidation(1, 1, [9]); // foreign; the server had closed the connection of 3 by then
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    expect(s.serverGone(3)).toEqual(["close client 3"]);
  });

  it("a likeness of a tid that is due goes out no more, nor does what stands behind it", () => {
    const s = new Script("old");
    s.connected([1, 3]);
    s.load(3);
    s.load(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    expect(s.loadReply(3, 1, false)).toEqual([]);
    expect(s.loadReply(3, 0)).toEqual([]);
    expect(s.serverGone(3)).toEqual(["close client 3"]);
  });

  it("what settles later is made up before what shows it", () => {
    const s = new Script("old");
    s.connected([1, 3]);
    s.finishing(1, { created: [5] });
    s.lastTransaction(3);
    s.lastTransactionReply(3, 1);
    s.serverGone(3);
    expect(s.finishReply(1, 1)).toEqual([
      "1 < finish T1",
      "3 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "3 < lastTransaction T1",
      "close client 3",
    ]);
  });

  it("what settles later and is shown by nothing does not keep it open", () => {
    const s = new Script("new");
    s.connected([1, 2, 3]);
    s.finishing(1, { created: [5] });
    s.finishing(2, { created: [6] });
    s.load(3);
    s.loadReply(3, 1); // waits for both
    s.serverGone(3);
    s.finishReply(2, 2);
    expect(s.finishReply(1, 1).slice(-2)).toEqual(["3 < load T1", "close client 3"]);
  });
});

describe("a history that forgets at once", () => {
  it("a fan-out server's late message of a client's own commit is swallowed all the same", () => {
    const s = new Script("new", {}, 0);
    s.connected([1]);
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    expect(s.invalidation(1, 1, [4])).toEqual([]);
  });
});
