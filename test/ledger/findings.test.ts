import { describe, expect, it } from "vitest";
import { Script } from "./script.ts";

/*
 * Holes that earlier drafts of docs/ordering.md had, each a trace that once ended badly. T1, T2 are tids; sessions
 * are numbers: 1 commits, 2 looks on, 3 comes late. Two holes of the list need foreign commits to be read from the
 * storage, which this ledger does not do.
 */

describe("1: time makes nothing up", () => {
  it("new: an undo whose message is slow is asked for after a second, and its own message still counts", () => {
    const s = new Script("new");
    s.connected([1, 2]);
    s.finishing(1, { created: [5], undoes: true });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.tick(999)).toEqual([]);
    expect(s.tick(1000)).toEqual(["ask 2"]);
    expect(s.invalidation(2, 1, [9])).toEqual(["2 < T1 [9 5] completed", "log T1: 1 completed, 0 made up"]);
    expect(s.questionReply(2, 1)).toEqual([]);
  });

  it("new: the reply to the question proves that a skipped client's message will not come", () => {
    const s = new Script("new");
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.tick(1000);
    expect(s.questionReply(2, 1)).toEqual(["2 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
  });
});

describe("2: nothing made up overtakes the server's own message of a lower tid", () => {
  it("old: T1 is on the wire when the silent T2 settles", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.finishing(1, { modified: [4] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 2)).toEqual(["ask 2", "1 < finish T2"]);
    expect(s.invalidation(2, 1, [4])).toEqual(["2 < T1 [4] as it is"]);
    expect(s.questionReply(2, 2)).toEqual(["2 < T2 [5] made up", "log T2: 0 completed, 1 made up"]);
  });
});

describe("3: nothing made up overtakes the reply of a read", () => {
  it("old: a load was answered at T0 when the silent T1 settles", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.load(2);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    expect(s.loadReply(2, 0)).toEqual(["2 < load T0"]);
    expect(s.questionReply(2, 1)).toEqual(["2 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
  });

  it("old: the same for deleted and restored objects", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.load(2);
    s.finishing(1, { deleted: [5], restored: [6] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    expect(s.loadReply(2, 0)).toEqual(["2 < load T0"]);
    expect(s.questionReply(2, 1)).toEqual(["2 < T1 [5 6] made up", "log T1: 0 completed, 1 made up"]);
  });
});

describe("4: the tid of a merged getInvalidations reply", () => {
  it("a: new: what settles after the answer is announced by itself, not covered", () => {
    const s = new Script("new");
    s.connected([1]);
    s.finishing(1, { created: [4] });
    s.finishReply(1, 1);
    s.register(3);
    expect(s.registerReply(3, 1)).toEqual(["3 < register T1"]);
    s.getInvalidations(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    expect(s.getInvalidationsReply(3, 0, [1, []])).toEqual(["3 < getInvalidations(T0): T1 [4]"]);
    expect(s.invalidation(3, 2, [])).toEqual(["3 < T2 [5] completed", "log T2: 1 completed, 0 made up"]);
  });

  it("b: old: a created-only commit before the registration is covered, though the server's tid lies below", () => {
    const s = new Script("old");
    s.connected([1]);
    s.finishing(1, { created: [4] });
    s.finishReply(1, 1);
    s.register(3);
    s.registerReply(3);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual(["3 < lastTransaction T1"]);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 0, [0, []])).toEqual(["3 < getInvalidations(T0): T1 [4]"]);
  });

  it("b: old: without a lastTransaction in between, the floor at registration says so", () => {
    const s = new Script("old");
    s.connected([1]);
    s.finishing(1, { created: [4] });
    s.finishReply(1, 1);
    s.register(3);
    s.registerReply(3);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 0, [0, []])).toEqual(["3 < getInvalidations(T0): T1 [4]"]);
  });

  it("c: old: merged when it goes out, so it does not fall below what went out before it", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.register(3);
    s.registerReply(3);
    s.lastTransaction(3);
    s.lastTransactionReply(3, 0);
    s.getInvalidations(3);
    s.begin(1, { created: [5], modified: [4] });
    s.vote(1);
    s.voteGranted(1);
    s.finish(1);
    // The server's message is read, then the reply that shows it: both wait for the commit's full set.
    expect(s.invalidation(3, 1, [4])).toEqual([]);
    expect(s.getInvalidationsReply(3, 0, [1, [4]])).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual([
      "1 < finish T1",
      "3 < T1 [4 5] completed",
      "3 < getInvalidations(T0): T1 [4 5]",
    ]);
  });
});

describe("5: a failed vote is no barrier", () => {
  it.each(["old", "new"] as const)(
    "%s: what settles is not moved ahead of it, nor of an older read behind it",
    (server) => {
      const s = new Script(server);
      s.connected([1, 2]);
      s.begin(1, { modified: [4] });
      s.vote(1);
      s.load(1);
      s.finishing(2, { created: [5] });
      expect(s.voteFailed(1)).toEqual(["1 < vote failed"]);
      expect(s.loadReply(1, 0)).toEqual(["1 < load T0"]);
      s.finishReply(2, 1);
    },
  );
});

describe("6: a granted vote of an old server counts as evidence of every tid", () => {
  it("what settles goes before it, so never inside the finish that follows", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.begin(2, { modified: [4] });
    s.vote(2);
    expect(s.voteGranted(2)).toEqual([]); // 1 is finishing
    expect(s.finishReply(1, 1)).toEqual([
      "1 < finish T1",
      "2 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "2 < vote",
    ]);
  });

  it("what was due when it is read is made up before it", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.finishing(1, { created: [5], modified: [4] });
    s.finishReply(1, 1);
    s.begin(2, { modified: [4] });
    s.vote(2);
    expect(s.voteGranted(2)).toEqual(["2 < T1 [4 5] made up", "log T1: 0 completed, 1 made up", "2 < vote"]);
  });
});

describe("7: evidence waits for the server's own message, though nothing is finishing", () => {
  it("new: a lastTransaction reply overtakes the invalidation", () => {
    const s = new Script("new");
    s.connected([1, 2]);
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
});

describe("8: an old newcomer does not wait for a message that never comes", () => {
  it("evidence of T1 proves that the session registered after it", () => {
    const s = new Script("old");
    s.connected([1]);
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

describe("9: an old server's message before the register reply", () => {
  it("goes right behind that reply", () => {
    const s = new Script("old");
    s.connected([1]);
    s.register(3);
    s.finishing(1, { modified: [4], created: [5] });
    expect(s.invalidation(3, 1, [4])).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.registerReply(3)).toEqual(["3 < register T0", "3 < T1 [4 5] completed", "log T1: 1 completed, 0 made up"]);
  });
});

describe("10 and 16: a server connection is left unread only while others' commits hold the first message", () => {
  it("new: never while the message that is waited for stands behind it", () => {
    const s = new Script("new");
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    s.finishReply(1, 1);
    s.lastTransactionReply(2, 1); // held for the server's own T1
    expect(s.ledger.mayPause(2)).toBe(false);
  });

  it("new: while the first message waits for a commit of another, it may", () => {
    const s = new Script("new");
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    s.lastTransactionReply(2, 1);
    expect(s.ledger.mayPause(2)).toBe(true);
  });

  it("new: not while the session is finishing itself", () => {
    const s = new Script("new");
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.finishing(2, { created: [6] });
    s.lastTransaction(2);
    s.lastTransactionReply(2, 1);
    expect(s.ledger.mayPause(2)).toBe(false);
  });
});

describe("12: whether a commit is silent is not learnt from what the server sends", () => {
  it("a backport's message of a created-only commit is awaited as well as asked for, and told once", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    expect(s.invalidation(2, 1, [5])).toEqual(["2 < T1 [5] as it is"]);
    expect(s.questionReply(2, 1)).toEqual([]);
  });

  it("a server that announced created oids once is still asked for the next", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.invalidation(2, 1, [5]);
    s.questionReply(2, 1);
    s.finishing(1, { created: [6] });
    expect(s.finishReply(1, 2)).toEqual(["ask 2", "1 < finish T2"]);
    expect(s.questionReply(2, 2)).toEqual(["2 < T2 [6] made up", "log T2: 0 completed, 1 made up"]);
  });
});

describe("13: a foreign invalidation of a lower tid may still be on the wire", () => {
  it("old: nothing is made up without evidence on that very connection", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    // A writer on the server's own port: session 1 is told of T1, the message for session 2 is on the wire.
    expect(s.invalidation(1, 1, [9])).toEqual(["foreign T1", "1 < T1 [9] as it is"]);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 2)).toEqual(["ask 2", "1 < finish T2"]);
    expect(s.invalidation(2, 1, [9])).toEqual(["2 < T1 [9] as it is"]);
    expect(s.questionReply(2, 2)).toEqual(["2 < T2 [5] made up", "log T2: 0 completed, 1 made up"]);
  });
});

describe("14: a finishing commit holds only what may show its tid or a later one", () => {
  it("its base is known when its tpc_finish is forwarded, a tid from a mere invalidation included", () => {
    const s = new Script("old");
    s.connected([1, 2, 3]);
    s.lastTransaction(2);
    s.lastTransaction(2);
    s.invalidation(1, 1, [9]); // foreign
    s.invalidation(2, 1, [9]);
    s.finishing(1, { created: [5] });
    expect(s.lastTransactionReply(2, 1)).toEqual(["2 < lastTransaction T1"]);
    expect(s.lastTransactionReply(2, 2)).toEqual([]);
  });

  it("tids that nobody here explains hold nothing", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 7)).toEqual(["2 < lastTransaction T7"]);
  });
});

describe("15: what is due does not starve behind reads that prove nothing", () => {
  it("old: three pipelined loads pass, the question's reply tells", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    for (let i = 0; i < 3; i++) s.load(2);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    for (let i = 0; i < 3; i++) expect(s.loadReply(2, 0)).toEqual(["2 < load T0"]);
    s.load(2);
    expect(s.questionReply(2, 1)).toEqual(["2 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
  });
});

describe("17: the question", () => {
  it("old: is asked at once for a silent commit, after a second for another", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.finishing(1, { modified: [4] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.ledger.nextTick()).toBe(1000);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 2)).toEqual(["ask 2", "1 < finish T2"]);
    expect(s.ledger.nextTick()).toBeUndefined();
  });

  it("old: not before the register reply was read", () => {
    const s = new Script("old");
    s.connected([1]);
    s.register(3);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.tick(5000)).toEqual([]);
    expect(s.registerReply(3)).toEqual(["ask 3", "3 < register T0"]);
  });

  it("new: also inside a finish; its reply proves what it covers", () => {
    const s = new Script("new");
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.finishing(2, { created: [6] });
    s.finishReply(1, 1);
    expect(s.tick(1000)).toEqual(["ask 2"]);
    // The second commit's tid could be the lower one, so both wait for it.
    expect(s.questionReply(2, 1)).toEqual([]);
    expect(s.finishReply(2, 2)).toEqual([
      "2 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "2 < finish T2",
      "1 < finish T1",
    ]);
  });
});

describe("18: a session that an undo skipped", () => {
  it("old: needs nothing while it has not asked for the last transaction, for the first reply shows T1 or later", () => {
    const s = new Script("old");
    s.connected([1]);
    s.register(3);
    s.registerReply(3);
    s.finishing(1, { created: [5], undoes: true });
    s.finishReply(1, 1);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual(["3 < lastTransaction T1"]);
  });

  it("old: is ended when a reply at T0 came before", () => {
    const s = new Script("old");
    s.connected([1]);
    s.register(3);
    s.finishing(1, { created: [5], undoes: true });
    s.registerReply(3);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 0)).toEqual(["3 < lastTransaction T0"]);
    s.finishReply(1, 1);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual(["end 3: incomplete-undo"]);
  });

  it("old: is told once the server's own message was read on any connection", () => {
    const s = new Script("old");
    s.connected([1, 2, 3]);
    s.finishing(1, { created: [5], undoes: true });
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [9])).toEqual(["2 < T1 [9 5] completed"]);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual([
      "3 < T1 [5 9] made up",
      "log T1: 1 completed, 1 made up",
      "3 < lastTransaction T1",
    ]);
  });
});

describe("19: a server connection that breaks between tpc_finish and its reply", () => {
  it.each(["old", "new"] as const)(
    "%s: its oids go into what nobody explains, waiting or later, and all others are ended",
    (server) => {
      const s = new Script(server);
      s.connected([1, 2]);
      s.finishing(1, { created: [5] });
      expect(s.serverGone(1)).toEqual(["end 2: unknown-commit", "close client 1"]);
      s.connected([3], 0);
      expect(s.invalidation(3, 1, [])).toEqual(["foreign T1", "3 < T1 [5] completed"]);
    },
  );

  it.each(["old", "new"] as const)("%s: and into getInvalidations replies", (server) => {
    const s = new Script(server);
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.serverGone(1);
    s.register(3);
    s.registerReply(3, 1);
    s.lastTransaction(3);
    s.lastTransactionReply(3, 1);
    s.getInvalidations(3);
    const answer: [number, number[]] = server === "old" ? [0, []] : [1, []];
    expect(s.getInvalidationsReply(3, 0, answer)).toEqual(["3 < getInvalidations(T0): T1 [5]"]);
  });

  it("old: where the server may still read it, the next granted vote ends the sessions once more", () => {
    const s = new Script("old");
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.serverGone(1, true);
    s.connected([3, 4], 0);
    s.begin(3, { modified: [4] });
    s.vote(3);
    expect(s.voteGranted(3)).toEqual(["end 3: unknown-commit", "end 4: unknown-commit"]);
  });
});
