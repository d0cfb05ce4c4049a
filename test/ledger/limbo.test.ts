import { describe, expect, it } from "vitest";
import { asTid } from "../../src/wire/ids.ts";
import type { ServerFamily } from "../../src/ledger/state.ts";
import { connected, packed, Script } from "./script.ts";

/* A finish whose reply never comes. Session 1 commits, 2 looks on, 3 comes late. */

/** It has created an object, and its server's connection has ended. */
function inLimbo(server: ServerFamily, mayStillRead = false): Script {
  const s = connected(server);
  s.finishing(1, { created: [5] });
  s.serverGone(1, mayStillRead);
  return s;
}

/** Who comes late, and was there before it, is told of what it has missed. */
function resumed(s: Script, server: ServerFamily): string[] {
  s.register(3);
  s.registerReply(3, 1);
  s.lastTransaction(3);
  s.lastTransactionReply(3, 1);
  s.getInvalidations(3);
  return s.getInvalidationsReply(3, 0, server === "old" ? [0, []] : [1, []]);
}

/** The next vote is granted, to one who has come late. */
function nextVote(s: Script): string[] {
  s.begin(3, { modified: [4] });
  s.vote(3);
  return s.voteGranted(3);
}

describe("its oids", () => {
  it.each(["old", "new"] as const)(
    "%s: go into what nobody explains, waiting or later, and all others are ended",
    (server) => {
      const s = connected(server);
      s.finishing(1, { created: [5] });
      expect(s.serverGone(1)).toEqual(["end 2: unknown-commit", "close client 1"]);
      s.connected([3]);
      expect(s.invalidation(3, 1, [])).toEqual(["foreign T1", "3 < T1 [5] completed"]);
    },
  );

  it.each(["old", "new"] as const)("%s: go into getInvalidations replies", (server) => {
    const s = inLimbo(server);
    expect(resumed(s, server)).toEqual(["3 < getInvalidations(T0): T1 [5]"]);
  });

  it("go into the message of an undo that nobody explains", () => {
    const s = connected("new");
    s.finishing(1, { created: [5], undoes: true });
    s.serverGone(1);
    s.connected([3]);
    expect(s.invalidation(3, 1, [9])).toEqual(["foreign T1", "3 < T1 [9 5] completed"]);
  });

  it("go in where the server may still commit it, too", () => {
    const s = inLimbo("old", true);
    s.connected([3]);
    expect(s.invalidation(3, 1, [9])).toEqual(["foreign T1", "3 < T1 [9 5] completed"]);
  });

  it("don't go into a tid at or below what was known when its tpc_finish was forwarded: its own lies above", () => {
    const s = connected("old");
    s.invalidation(1, 5, [9]);
    s.finishing(1, { created: [5] });
    s.serverGone(1);
    s.connected([3], 5);
    expect(s.invalidation(3, 4, [8])).toEqual(["3 < T4 [8] as it is"]);
    expect(s.invalidation(3, 5, [9])).toEqual(["3 < T5 [9] as it is"]);
    expect(s.invalidation(3, 6, [8])).toEqual(["foreign T6", "3 < T6 [8 5] completed"]);
  });

  it("new: of two commits go in together, from the lower base on", () => {
    const s = inLimbo("new"); // above T0
    s.connected([3, 4]);
    s.invalidation(3, 3, [8]); // of a commit elsewhere
    s.finishing(3, { created: [6] }); // above T3
    s.serverGone(3);
    s.register(6);
    s.registerReply(6, 3);
    s.getInvalidations(6);
    expect(s.getInvalidationsReply(6, 0, [3, [8]])).toEqual(["6 < getInvalidations(T0): T3 [8 5]"]);
  });
});

describe("who waited for it", () => {
  it("is ended, and what comes next is not held", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    s.lastTransactionReply(2, 1);
    expect(s.serverGone(1)).toEqual(["end 2: unknown-commit", "close client 1"]);
    s.connected([3], 1);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual(["3 < lastTransaction T1"]);
  });

  it("old: gets what it waited for, where the commit changed nothing", () => {
    const s = connected("old");
    s.finishing(1, {});
    expect(s.invalidation(2, 1, [9])).toEqual([]); // of a commit elsewhere; it could be this one's tid
    expect(s.serverGone(1)).toEqual(["close client 1", "foreign T1", "2 < T1 [9] as it is"]);
  });
});

describe("who is ended", () => {
  it("old: nobody for a commit that changed nothing: it is in no doubt", () => {
    const s = connected("old");
    s.begin(1, {});
    s.vote(1);
    s.voteGranted(1);
    s.finish(1);
    expect(s.serverGone(1)).toEqual(["close client 1"]);
  });

  it("old: everyone once more at the next granted vote, where the server may still read it", () => {
    const s = inLimbo("old", true);
    s.connected([3, 4]);
    expect(nextVote(s)).toEqual(["end 3: unknown-commit", "end 4: unknown-commit"]);
    s.connected([3, 4]);
    expect(nextVote(s)).toEqual(["3 < vote"]);
  });

  it("new: everyone once more, too, where one that is over came into limbo behind it", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] }); // the server has committed it; the reply is lost
    s.begin(2, { created: [6] });
    s.vote(2);
    s.voteGranted(2);
    s.finish(2);
    s.serverGone(2, true);
    s.serverGone(1);
    s.connected([3, 4]);
    expect(nextVote(s)).toEqual(["end 3: unknown-commit", "end 4: unknown-commit"]);
  });

  it("old: everyone at the next granted vote, though its client has gone meanwhile", () => {
    const s = inLimbo("old", true);
    s.connected([3, 4]);
    s.begin(3, { created: [6] });
    s.vote(3);
    s.finish(3);
    s.gone(3); // its connection is read to the end: the vote's reply, then that to its finish
    expect(s.voteGranted(3)).toEqual(["end 4: unknown-commit"]);
  });
});

describe("an exception as the reply to tpc_finish", () => {
  it.each(["old", "new"] as const)("%s: everyone verifies, and its client behind it", (server) => {
    const s = connected(server);
    s.finishing(1, { created: [5] });
    expect(s.finishFailed(1)).toEqual(["1 < finish failed", "end 1: unknown-commit", "end 2: unknown-commit"]);
    expect(resumed(s, server)).toEqual(["3 < getInvalidations(T0): T1 [5]"]);
  });

  it("everyone once more at the next granted vote: a server of a server can still commit it", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.finishFailed(1);
    s.connected([3, 4]);
    expect(nextVote(s)).toEqual(["end 3: unknown-commit", "end 4: unknown-commit"]);
  });

  it("says that nothing was committed where no vote was granted", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.finish(1);
    expect(s.finishFailed(1)).toEqual(["1 < finish failed"]);
    expect(s.ledger.state.limbo).toEqual([]);
  });

  it("of a vote that is granted while the finish is on its way, too", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.vote(1);
    s.finish(1);
    s.voteGranted(1);
    expect(s.finishFailed(1)).toContain("end 2: unknown-commit");
  });

  it("of a vote whose reply nobody understands, too", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.ledger.voteUnclear(1, { payload: "vote", bytes: 10, order: 0 });
    s.finish(1);
    expect(s.finishFailed(1)).toContain("end 2: unknown-commit");
  });

  it("of an orphan ends the others, and its server connection is closed", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.gone(1);
    expect(s.finishFailed(1)).toEqual(["close server 1", "end 2: unknown-commit"]);
  });

  it("of an orphan says nothing of its vote, whose reply need not have been understood", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.finish(1);
    s.gone(1);
    expect(s.finishFailed(1)).toEqual(["close server 1", "end 2: unknown-commit"]);
  });

  it("says that nothing was committed, too, where another's vote was granted meanwhile", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.finish(1);
    s.begin(2, { created: [6] });
    s.vote(2);
    s.voteGranted(2);
    expect(s.finishFailed(1)).toContain("1 < finish failed");
    expect(s.ledger.state.limbo).toEqual([]);
  });

  it("old: of a commit that changed nothing ends nobody", () => {
    const s = connected("old");
    s.finishing(1, {});
    expect(s.finishFailed(1)).toEqual(["1 < finish failed"]);
  });
});

describe("how it ends", () => {
  it.each(["old", "new"] as const)("%s: with a commit behind it, which its own tid lies below", (server) => {
    const s = inLimbo(server);
    s.connected([3]);
    s.finishing(3, { modified: [6] });
    s.finishReply(3, 2);
    s.connected([4, 5], 2);
    expect(s.invalidation(4, 9, [8])).toEqual(["foreign T9", "4 < T9 [8] as it is"]);
    s.getInvalidations(5);
    expect(s.getInvalidationsReply(5, 0, [2, [6]])).toEqual(["5 < getInvalidations(T0): T2 [6 5]"]);
    s.getInvalidations(5);
    expect(s.getInvalidationsReply(5, 2, [2, []])).toEqual(["5 < getInvalidations(T2): T2 [] as it is"]);
  });

  it("with the first commit behind it, whatever comes later", () => {
    const s = inLimbo("new");
    s.connected([3]);
    for (const tid of [2, 3]) {
      s.finishing(3, { modified: [6] });
      s.finishReply(3, tid);
    }
    s.connected([5], 3);
    s.getInvalidations(5);
    expect(s.getInvalidationsReply(5, 2, [3, [6]])).toEqual(["5 < getInvalidations(T2): T3 [6] as it is"]);
  });

  it("not with one that was on its way when it began", () => {
    const s = connected("new", [1, 2, 3]);
    s.finishing(1, { created: [5] });
    s.finishing(2, { created: [6] });
    s.serverGone(1);
    s.finishReply(2, 2);
    expect(s.ledger.state.limbo).toMatchObject([{ base: 0n, top: undefined }]);
  });

  it("not while the server may still commit it", () => {
    const s = inLimbo("new", true);
    s.connected([3]);
    s.begin(3, { modified: [6] });
    s.finish(3); // without a vote that was seen to be granted
    s.finishReply(3, 2);
    expect(s.ledger.state.limbo).toMatchObject([{ open: true, top: undefined }]);
  });

  it("is told to all who get the same message with one announcement", () => {
    const s = inLimbo("new");
    s.connected([3, 4]);
    const args = { tid: asTid(7n), oids: packed([8]) };
    const announced = [3, 4].map((session) => {
      s.ledger.invalidation(session, args, 0, { payload: "T7", bytes: 10 });
      return s.ledger.take().find((action) => action.do === "announce")?.announcement;
    });
    expect(announced[0]).toBeDefined();
    expect(announced[1]).toBe(announced[0]);
  });
});

describe("a vote that was granted to a session of before", () => {
  it("does not show that the server has done with it", () => {
    const s = connected("old", [1, 2]);
    s.finishing(2, { modified: [4] });
    s.begin(2, { modified: [6], id: 2 });
    s.vote(2); // behind its own commit, and aborted without its reply
    s.abort(2, 2);
    s.finishing(1, { created: [5] });
    s.serverGone(1, true);
    s.connected([3]);
    expect(s.voteGranted(2)).toEqual([]);
    expect(s.ledger.state.limbo).toMatchObject([{ open: true }]);
  });
});

it("one whose oids were too many to keep explains no commit that is known: that is told like any other", () => {
  const s = new Script("new", {}, 0);
  s.connected([1, 2]);
  s.finishing(1, { created: [5] });
  s.serverGone(1, true);
  s.connected([3, 4]);
  s.begin(3, { created: [6] });
  s.finish(3); // without a vote that was seen to be granted
  s.finishReply(3, 2);
  expect(s.invalidation(4, 2, [])).toEqual(["4 < T2 [6] completed", "log T2: 1 completed, 0 made up"]);
});
