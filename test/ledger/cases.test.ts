import { describe, expect, it } from "vitest";
import { Script } from "./script.ts";

/* The known hard cases of docs/ordering.md that the ledger decides. Session 1 commits, 2 looks on, 3 comes late. */

function connected(server: "old" | "new", sessions: readonly number[] = [1, 2], last = 0): Script {
  const s = new Script(server);
  s.connected(sessions, last);
  return s;
}

describe("transactions", () => {
  it("begun twice with one id: the first one and its stores are kept", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.begin(1, { created: [6] });
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5 6]");
  });

  it("begun again with another id: the server refuses the second; finishing it changes nothing", () => {
    const s = connected("new");
    s.begin(1, { created: [5], id: 1 });
    s.begin(1, { created: [6], id: 2 });
    s.finish(1, 2);
    expect(s.finishReply(1, undefined)).toEqual(["1 < finish None"]);
    s.finish(1, 1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });

  it("begun without end: beyond a hundred the server has refused them all, and they are not kept", () => {
    const s = connected("new");
    for (let id = 1; id <= 150; id++) s.begin(1, { created: [5], id });
    expect(s.ledger.state.accounts.get(1)?.transactions).toHaveLength(100);
    s.finish(1, 1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });

  it("aborted with another id: nothing is forgotten", () => {
    const s = connected("new");
    s.begin(1, { created: [5], id: 1 });
    s.abort(1, 2);
    s.finish(1, 1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });

  it("aborted, after a vote too: its stores do not get into the next one with the same id", () => {
    const s = connected("old");
    s.begin(1, { created: [5] });
    s.vote(1);
    s.voteGranted(1);
    s.abort(1);
    s.finishing(1, { created: [6] });
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[6]");
  });

  it("one id on two connections: each has its own", () => {
    const s = connected("new");
    s.begin(1, { created: [5], id: 9 });
    s.begin(2, { created: [6], id: 9 });
    s.finish(1, 9);
    s.finishReply(1, 1);
    s.finish(2, 9);
    s.finishReply(2, 2);
    expect([s.known(1), s.known(2)]).toEqual(["[5]", "[6]"]);
  });

  it("the same oid twice, created and modified: named once", () => {
    const s = connected("new");
    s.finishing(1, { created: [5, 5], modified: [5, 4, 4] });
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[4 5]");
  });

  it("new: conflicts, stored again, voted again: the oids of both stores, each once", () => {
    const s = connected("new");
    s.begin(1, { modified: [4, 5] });
    s.vote(1);
    expect(s.voteFailed(1, { cleared: false })).toEqual(["1 < vote failed"]);
    s.store(1, { modified: [5] });
    s.vote(1);
    s.voteGranted(1);
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[4 5]");
  });

  it("new: a vote that failed with an exception clears it; the next one with this id starts anew", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.vote(1);
    s.voteFailed(1, { cleared: true });
    s.finishing(1, { created: [6] });
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[6]");
  });

  it("'already voting' changes nothing: the finish that follows settles everything", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.vote(1);
    s.vote(1);
    s.voteFailed(1, { cleared: false });
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });

  it("old: a store that serialnos refuse is no store; one of two that is accepted is", () => {
    const s = connected("old");
    s.begin(1, { created: [5, 6], modified: [5] });
    s.serialnos(1, [5, 6]);
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });

  it("new: a finish without begin commits what nobody here knows", () => {
    const s = connected("new");
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [9])).toEqual(["2 < T1 [9] as it is"]);
  });

  it("a conflict in a vote's reply shows a tid: it waits for the server's message of it", () => {
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

  it("new: a conflict from before is held until the message comes", () => {
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

describe("the server's message and the committer's reply", () => {
  it.each(["old", "new"] as const)(
    "%s: the message first: it waits for the reply and is completed in place",
    (server) => {
      const s = connected(server);
      s.finishing(1, { modified: [4], created: [5] });
      expect(s.invalidation(2, 1, [4])).toEqual([]);
      expect(s.finishReply(1, 1)).toEqual([
        "1 < finish T1",
        "2 < T1 [4 5] completed",
        "log T1: 1 completed, 0 made up",
      ]);
    },
  );

  it.each(["old", "new"] as const)("%s: the reply first", (server) => {
    const s = connected(server);
    s.finishing(1, { modified: [4], created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.invalidation(2, 1, [4])).toEqual(["2 < T1 [4 5] completed", "log T1: 1 completed, 0 made up"]);
  });

  it("a complete message passes as it is, and nothing is logged", () => {
    const s = connected("new");
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [5, 4])).toEqual(["2 < T1 [5 4] as it is"]);
  });

  it("old: an object stored with serial None is announced by the server, so nothing is asked", () => {
    const s = connected("old");
    s.finishing(1, { createdNone: [5] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.ledger.nextTick()).toBe(1000);
    expect(s.invalidation(2, 1, [5])).toEqual(["2 < T1 [5] as it is"]);
  });

  it.each(["old", "new"] as const)("%s: a finish without a tid settles nothing and releases what waited", (server) => {
    const s = connected(server);
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 1)).toEqual([]);
    expect(s.finishReply(1, undefined)).toEqual(["1 < finish None", "2 < lastTransaction T1"]);
    expect(s.known(1)).toBe("not settled");
  });

  it("old: an empty transaction's reply shows another commit's tid and waits for that commit", () => {
    const s = connected("old");
    s.finishing(2, { created: [5] }); // commits T1; its reply is still unread
    s.begin(1, {});
    s.vote(1);
    expect(s.voteGranted(1)).toEqual([]);
    expect(s.finishReply(2, 1)).toEqual([
      "2 < finish T1",
      "1 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "1 < vote",
    ]);
    s.finish(1);
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.ledger.state.history.length).toBe(1);
  });

  it("new: an empty transaction has a tid and a message of its own", () => {
    const s = connected("new");
    s.finishing(1, {});
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [])).toEqual(["2 < T1 [] as it is"]);
  });

  it("a fan-out server's message to the committer: before the reply, it never reaches its finish", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    expect(s.invalidation(1, 1, [4])).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
  });

  it("a fan-out server's message to the committer: after the reply", () => {
    const s = connected("new");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    expect(s.invalidation(1, 1, [4])).toEqual([]);
  });

  it("... even when the history has forgotten the commit already", () => {
    const s = new Script("new", {}, 0);
    s.connected([1]);
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("not settled");
    expect(s.invalidation(1, 1, [4])).toEqual([]);
  });

  it("... and what it names of an undo is kept for those who were skipped", () => {
    const s = connected("old", [1, 2]);
    s.finishing(1, { created: [5], undoes: true });
    s.finishReply(1, 1);
    expect(s.invalidation(1, 1, [9])).toEqual([]);
    expect(s.known(1)).toBe("[5 9]");
  });

  it("new: a reply that overtook the message of an undo ends nobody, and waits for that message", () => {
    const s = connected("new");
    s.finishing(1, { created: [5], undoes: true });
    s.finishReply(1, 1);
    s.load(2);
    expect(s.loadReply(2, 1)).toEqual([]);
    expect(s.invalidation(2, 1, [9])).toEqual([
      "2 < T1 [9 5] completed",
      "log T1: 1 completed, 0 made up",
      "2 < load T1",
    ]);
  });

  it("new: if the question's reply comes before it, too, that session is ended", () => {
    const s = connected("new");
    s.finishing(1, { undoes: true });
    s.finishReply(1, 1);
    expect(s.tick(1000)).toEqual(["ask 2"]);
    expect(s.questionReply(2, 1)).toEqual(["end 2: incomplete-undo"]);
  });

  it("a fan-out server's message of an undo names to the others what was undone", () => {
    const s = connected("old", [1, 2]);
    s.finishing(1, { created: [5], undoes: true });
    s.invalidation(1, 1, [9]);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5 9]");
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 1)).toEqual([
      "2 < T1 [5 9] made up",
      "log T1: 0 completed, 1 made up",
      "2 < lastTransaction T1",
    ]);
  });

  it("a message that comes after one was made up is swallowed where it names nothing new", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    s.lastTransaction(2);
    s.lastTransactionReply(2, 1); // proves, wrongly here, that none will come
    expect(s.invalidation(2, 1, [4])).toEqual([]);
  });

  it("... and ends the session where it does", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.lastTransaction(2);
    s.lastTransactionReply(2, 1);
    expect(s.invalidation(2, 1, [9])).toEqual(["end 2: invalidation-out-of-order"]);
  });

  it("a foreign message whose tid does not grow ends the session", () => {
    const s = connected("old");
    expect(s.invalidation(2, 2, [9])).toEqual(["foreign T2", "2 < T2 [9] as it is"]);
    expect(s.invalidation(2, 1, [8])).toEqual(["end 2: invalidation-out-of-order"]);
  });

  it("new: two commits finishing at once, replies in the order of their tids and the other way round", () => {
    for (const order of [
      [1, 2],
      [2, 1],
    ] as const) {
      const s = connected("new", [1, 2, 3]);
      s.finishing(1, { created: [5] }); // T1
      s.finishing(2, { created: [6] }); // T2
      expect(s.invalidation(3, 1, [])).toEqual([]);
      expect(s.invalidation(3, 2, [])).toEqual([]);
      const told: string[] = [];
      for (const session of order) told.push(...s.finishReply(session, session));
      expect(told.filter((line) => line.startsWith("3 <"))).toEqual(["3 < T1 [5] completed", "3 < T2 [6] completed"]);
    }
  });
});

describe("registration", () => {
  it("old: what settles between register and its reply is told behind that reply, after proof", () => {
    const s = connected("old", [1]);
    s.register(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    expect(s.registerReply(3)).toEqual(["ask 3", "3 < register T0"]);
    expect(s.questionReply(3, 1)).toEqual(["3 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
  });

  it("new: the tid in the register reply covers what settled before", () => {
    const s = connected("new", [1]);
    s.register(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    expect(s.registerReply(3, 1)).toEqual(["3 < register T1"]);
    expect(s.ledger.isQuiet(3)).toBe(true);
  });

  it("new: what settled but is above that tid is due", () => {
    const s = connected("new", [1]);
    s.register(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.registerReply(3, 0);
    s.lastTransaction(3);
    expect(s.invalidation(3, 1, [])).toEqual(["3 < T1 [5] completed", "log T1: 1 completed, 0 made up"]);
  });

  it("failed, then tried again on the same connection (read-only fallback)", () => {
    const s = connected("old", [1]);
    s.register(3);
    expect(s.registerFailed(3)).toEqual(["3 < register failed"]);
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    s.register(3);
    expect(s.registerReply(3)).toEqual(["3 < register T0"]);
    s.finishing(1, { modified: [4], created: [6] });
    s.finishReply(1, 2);
    expect(s.invalidation(3, 2, [4])).toEqual(["3 < T2 [4 6] completed", "log T2: 1 completed, 0 made up"]);
  });

  it("failed while something is due: nobody waits for that session any more", () => {
    const s = connected("old", [1, 2]);
    s.register(3);
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [4])).toEqual(["2 < T1 [4 5] completed"]);
    expect(s.registerFailed(3)).toEqual(["3 < register failed", "log T1: 1 completed, 0 made up"]);
  });
});

describe("getInvalidations", () => {
  it("old: a reply that goes backwards is brought up to what is known", () => {
    const s = connected("old", [1]);
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    s.finishing(1, { created: [6] });
    s.finishReply(1, 3);
    s.register(3);
    s.registerReply(3);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 2, [1, []])).toEqual(["3 < getInvalidations(T2): T3 [6]"]);
  });

  it("one that is complete passes as it is", () => {
    const s = connected("new", [1]);
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    s.register(3);
    s.registerReply(3, 1);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 0, [1, [5, 4]])).toEqual(["3 < getInvalidations(T0): T1 [5 4] as it is"]);
  });

  it("the server's None stays None", () => {
    const s = connected("new", [1]);
    s.getInvalidations(1);
    expect(s.getInvalidationsReply(1, 0, undefined)).toEqual(["1 < getInvalidations(T0): None as it is"]);
  });

  it("from below the reach of the ledger: None", () => {
    const s = connected("new", [1], 7);
    s.getInvalidations(1);
    expect(s.getInvalidationsReply(1, 6, [7, [3]])).toEqual(["1 < getInvalidations(T6): None"]);
    s.getInvalidations(1);
    expect(s.getInvalidationsReply(1, 7, [7, []])).toEqual(["1 < getInvalidations(T7): T7 [] as it is"]);
  });

  it("history that was trimmed moves the reach", () => {
    const s = new Script("new", {}, 900); // two commits
    s.connected([1]);
    for (let t = 1; t <= 4; t++) {
      s.finishing(1, { created: [t] });
      s.finishReply(1, t);
    }
    s.register(3);
    s.registerReply(3, 4);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 1, [4, []])).toEqual(["3 < getInvalidations(T1): None"]);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 2, [4, []])).toEqual(["3 < getInvalidations(T2): T4 [3 4]"]);
  });

  it("what somebody is still to be told of is not trimmed", () => {
    const s = new Script("new", {}, 900);
    s.connected([1, 2]);
    for (let t = 1; t <= 4; t++) {
      s.finishing(1, { created: [t] });
      s.finishReply(1, t);
    }
    expect(s.known(1)).toBe("[1]");
    expect(s.invalidation(2, 1, [])).toEqual(["2 < T1 [1] completed", "log T1: 1 completed, 0 made up"]);
  });
});

describe("connections that end", () => {
  it("a client that dies with its tpc_finish on the way: the commit settles all the same", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    expect(s.gone(1)).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual(["close server 1"]);
    expect(s.invalidation(2, 1, [])).toEqual(["2 < T1 [5] completed", "log T1: 1 completed, 0 made up"]);
  });

  it("a client for which something is held or asked: the log does not wait for it", () => {
    const s = connected("old", [1, 2, 3]);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "ask 3", "1 < finish T1"]);
    s.questionReply(2, 1);
    expect(s.gone(3)).toEqual(["log T1: 0 completed, 1 made up", "close server 3"]);
  });

  it("a server's connection that ends: what was read goes out, what is due before it, then the client's is closed", () => {
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

  it("the same where the server's own message waits in the outbox: counted once", () => {
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

  it("limbo: an old server's commit that changed nothing is in no doubt", () => {
    const s = connected("old");
    s.begin(1, {});
    s.vote(1);
    s.voteGranted(1);
    s.finish(1);
    expect(s.serverGone(1)).toEqual(["close client 1"]);
  });

  it("limbo: what was held for it goes out to nobody, and the next ones are not held", () => {
    const s = connected("new", [1, 2]);
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    s.lastTransactionReply(2, 1);
    expect(s.serverGone(1)).toEqual(["end 2: unknown-commit", "close client 1"]);
    s.connected([3], 1);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual(["3 < lastTransaction T1"]);
  });

  it("limbo: an undo's message that nobody explains passes with the creations that are known", () => {
    const s = connected("new", [1, 2]);
    s.finishing(1, { created: [5], undoes: true });
    s.serverGone(1);
    s.connected([3], 0);
    expect(s.invalidation(3, 1, [9])).toEqual(["foreign T1", "3 < T1 [9 5] completed"]);
  });
});

describe("other databases and copied history", () => {
  it("the ledger ends when a lastTransaction that was asked later shows a lower tid", () => {
    const s = connected("old", [1, 2], 5);
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 4)).toEqual([
      "ledger ended: T4 below T5",
      "end 1: database-changed",
      "end 2: database-changed",
    ]);
    expect(s.ledger.state.history).toEqual([]);
  });

  it("an answer that was merely on its way proves nothing", () => {
    const s = connected("old", [1, 2], 5);
    s.lastTransaction(2);
    s.lastTransaction(2);
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 6);
    expect(s.lastTransactionReply(2, 5)).toEqual(["2 < lastTransaction T5"]);
  });

  it("a register reply of another database ends the ledger, too", () => {
    const s = connected("new", [1], 5);
    s.register(3);
    expect(s.registerReply(3, 2)).toContain("ledger ended: T2 below T5");
  });

  it("history copied into a filled database: nobody can be told in order, so everyone verifies", () => {
    const s = connected("new", [1, 2], 5);
    s.begin(1, { restored: [5], tid: 3 });
    s.finish(1);
    expect(s.finishReply(1, 3)).toEqual(["copied T3 below T5", "end 2: copied-history", "1 < finish T3"]);
    s.connected([3], 5);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 5, [5, []])).toEqual(["3 < getInvalidations(T5): None"]);
  });

  it("history that grows is no copied history, even if another connection shows it before its own reply", () => {
    const s = connected("old", [1, 2]);
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

  it("history copied into an empty database is told like any other commit", () => {
    const s = connected("new", [1, 2]);
    s.begin(1, { restored: [5], tid: 3 });
    s.finish(1);
    expect(s.finishReply(1, 3)).toEqual(["1 < finish T3"]);
    expect(s.invalidation(2, 3, [])).toEqual(["2 < T3 [5] completed", "log T3: 1 completed, 0 made up"]);
  });
});

describe("pausing a server's connection", () => {
  it("a slow client with nothing held or due may pause it", () => {
    const s = connected("old");
    expect(s.ledger.mayPause(2)).toBe(true);
  });

  it("not while something is due", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    expect(s.ledger.mayPause(2)).toBe(false);
  });

  it("not while its own finish is on the way", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    expect(s.ledger.mayPause(1)).toBe(false);
  });
});

describe("a quiet session", () => {
  it("is one in whose storage nothing is finishing, and to which nothing is due or held", () => {
    const s = connected("old");
    expect(s.ledger.isQuiet(2)).toBe(true);
    s.finishing(1, { created: [5] });
    expect(s.ledger.isQuiet(2)).toBe(false);
    s.finishReply(1, 1);
    expect(s.ledger.isQuiet(2)).toBe(false);
    s.questionReply(2, 1);
    expect(s.ledger.isQuiet(2)).toBe(true);
  });
});
