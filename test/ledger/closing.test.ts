import { describe, expect, it } from "vitest";
import { connected, Script } from "./script.ts";

/* The server's connection ends while its client lives. Session 1 commits, 2 looks on, 3 comes late. */

describe("what was read", () => {
  it("goes out, with what is due before it; then the client's connection is closed", () => {
    const s = connected("old");
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 1)).toEqual([]);
    expect(s.serverGone(2)).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual([
      "1 < finish T1",
      "2 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "2 < lastTransaction T1",
      "close client 2",
    ]);
  });

  it("counts once where it is the server's own message", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.invalidation(2, 1, []);
    s.serverGone(2);
    expect(s.finishReply(1, 1)).toEqual([
      "1 < finish T1",
      "2 < T1 [5] completed",
      "log T1: 1 completed, 0 made up",
      "close client 2",
    ]);
  });

  it("goes out behind what settles later and it shows", () => {
    const s = connected("old", [1, 3]);
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

  it("goes out behind what settles later and it shows, whatever was read behind it", () => {
    const s = connected("old", [1, 3]);
    s.finishing(1, { created: [5] });
    s.lastTransaction(3);
    s.lastTransactionReply(3, 1);
    s.other(3, "info");
    s.serverGone(3);
    expect(s.finishReply(1, 1)).toEqual([
      "1 < finish T1",
      "3 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "3 < lastTransaction T1",
      "3 < info",
      "close client 3",
    ]);
  });

  it("old: goes out behind all that settles later, where it is a granted vote: that shows every earlier commit", () => {
    const s = connected("old", [1, 3]);
    s.finishing(1, { created: [5] });
    s.begin(3, { created: [6] });
    s.vote(3);
    expect(s.voteGranted(3)).toEqual([]);
    expect(s.serverGone(3)).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual([
      "1 < finish T1",
      "3 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "3 < vote",
      "close client 3",
    ]);
  });

  it("does not keep the connection open once nothing that settles is shown", () => {
    const s = connected("new", [1, 2, 3]);
    s.finishing(1, { created: [5] });
    s.finishing(2, { created: [6] });
    s.load(3);
    s.loadReply(3, 1); // waits for both
    s.serverGone(3);
    s.finishReply(2, 2);
    expect(s.finishReply(1, 1).slice(-2)).toEqual(["3 < load T1", "close client 3"]);
  });
});

describe("a client's connection", () => {
  it.each(["old", "new"] as const)("%s: is closed at once where it waits for nothing", (server) => {
    const s = connected(server, [1, 3]);
    expect(s.serverGone(3)).toEqual(["close client 3"]);
    expect(s.ledger.isKept(3)).toBe(false);
  });

  it("new: is closed once, without what shows an undo that nobody told", () => {
    const s = connected("new", [1, 3]);
    s.load(3);
    s.finishing(1, { undoes: true });
    s.finishReply(1, 1);
    expect(s.loadReply(3, 1)).toEqual([]);
    expect(s.serverGone(3)).toEqual(["close client 3"]);
  });
});

describe("what is due and nothing shows", () => {
  it("is not told, and what is not told either counts no more in what is held", () => {
    const s = connected("old", [1, 2, 3]);
    s.load(3);
    s.load(3);
    s.finishing(1, { created: [5] });
    s.finishing(2, { created: [6] });
    s.loadReply(3, 1);
    s.loadReply(3, 5, false); // it may be T2's
    expect(s.ledger.heldBytes(3)).toBe(20);
    expect(s.serverGone(3)).toEqual([]);
    s.finishReply(2, 2);
    expect(s.ledger.heldBytes(3)).toBe(10);
    expect(s.finishReply(1, undefined)).toContain("3 < load T1");
  });

  it("old: is not made up: a foreign commit of a lower tid may be missing", () => {
    const s = connected("old", [1, 3]);
    s.invalidation(1, 1, [9]); // foreign; the server had closed the connection of 3 by then
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    expect(s.serverGone(3)).toEqual(["close client 3"]);
  });

  it("is not told, nor does a likeness of its tid go out, nor what stands behind", () => {
    const s = connected("old", [1, 3]);
    s.load(3);
    s.load(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    expect(s.loadReply(3, 1, false)).toEqual([]);
    expect(s.loadReply(3, 0)).toEqual([]);
    expect(s.serverGone(3)).toEqual(["close client 3"]);
  });

  it("is neither where it settles only behind the end: then nothing is left, and the client's connection is closed", () => {
    const s = connected("old", [1, 3]);
    s.load(3);
    s.finishing(1, { created: [5] });
    expect(s.loadReply(3, 1, false)).toEqual([]); // it may be T1's
    expect(s.serverGone(3)).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1", "close client 3"]);
  });

  it("is not waited for, either: it can be forgotten", () => {
    const s = new Script("old", {}, 0);
    s.connected([1, 3]);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    expect(s.serverGone(3)).toEqual(["close client 3"]);
    s.finishing(1, { created: [6] });
    s.finishReply(1, 2);
    expect(s.known(1)).toBe("not settled");
  });
});
