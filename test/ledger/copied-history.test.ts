import { describe, expect, it } from "vitest";
import { copiedHistory, COPYING_MS, isCopied } from "../../src/ledger/copied.ts";
import { connected, type Script } from "./script.ts";
import { history, settled, tidOf } from "./settled.ts";

/* Transactions whose tid the client names: `copyTransactionsFrom`. Session 1 commits, 2 looks on, 3 comes late. */

describe("below what is known", () => {
  it("nobody can be told in order, so whoever comes back verifies", () => {
    const s = connected("new", [1, 2], 5);
    s.begin(1, { restored: [5], tid: 3 });
    s.finish(1);
    expect(s.finishReply(1, 3)).toEqual(["copied T3 below T5", "1 < finish T3"]);
    s.connected([3], 5);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 5, [5, []])).toEqual(["3 < getInvalidations(T5): None"]);
  });

  it("old: the reply with the tid that was named says that it is committed", () => {
    const s = connected("old", [1, 2], 5);
    s.invalidation(1, 10, [1]);
    s.invalidation(2, 10, [1]);
    s.finishing(1, { restored: [4], tid: 7 });
    expect(s.finishReply(1, 7)).toEqual(["copied T7 below T10", "1 < finish T7"]);
  });

  it("old: what an empty transaction was answered is known, too, and its client can't go on from there", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.invalidation(2, 1, [4]);
    s.finishing(2, {});
    s.finishReply(2, 3);
    s.finishing(1, { restored: [5], tid: 2 });
    expect(s.finishReply(1, 2)).toEqual(["copied T2 below T3", "1 < finish T2"]);
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

/** Session 1 copies. */
function copies(s: Script, tid: number, now = 0, session = 1): string[] {
  s.begin(session, { restored: [tid], tid });
  s.finish(session);
  return s.finishReply(session, tid, now);
}

function commits(s: Script, session: number, tid: number, now: number): string[] {
  s.finishing(session, { modified: [9] });
  return s.finishReply(session, tid, now);
}

describe("who was there when something was copied", () => {
  it("works on until the next commit, which it is not told of: it is sent away, to verify", () => {
    const s = connected("new", [1, 2, 3], 5);
    expect(copies(s, 2)).toEqual(["copied T2 below T5", "1 < finish T2"]);
    s.load(2);
    expect(s.loadReply(2, 5)).toEqual(["2 < load T5"]);
    expect(commits(s, 1, 7, COPYING_MS)).toEqual(["end 2: copied-history", "end 3: copied-history", "1 < finish T7"]);
    s.connected([4], 7);
    s.getInvalidations(4);
    expect(s.getInvalidationsReply(4, 5, [7, [9]])).toEqual(["4 < getInvalidations(T5): None"]);
    expect(s.ledger.state.copied).toBe(undefined);
  });

  it("is not told of that commit either where the server's message of it waits", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2);
    s.finishing(1, { modified: [9] });
    expect(s.invalidation(2, 7, [9])).toEqual([]);
    expect(s.finishReply(1, 7, COPYING_MS)).toEqual(["end 2: copied-history", "1 < finish T7"]);
  });

  it("is told of commits as long as more is copied, and must not go on from these", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2, 1000);
    expect(commits(s, 1, 7, 1000 + COPYING_MS - 1)).toEqual(["1 < finish T7"]);
    expect(s.invalidation(2, 7, [9])).toContain("2 < T7 [9] as it is");
    expect(copies(s, 3, 1000 + COPYING_MS)).toEqual(["1 < finish T3"]);
    expect(commits(s, 1, 8, 1000 + 2 * COPYING_MS - 1)).toEqual(["1 < finish T8"]);
    expect(commits(s, 1, 9, 1000 + 2 * COPYING_MS)).toContain("end 2: copied-history");
    s.connected([3], 9);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 8, [9, [9]])).toEqual(["3 < getInvalidations(T8): None"]);
    expect(s.ledger.isOwing).toBe(false);
  });

  it("is sent away at the next commit when whoever copied has gone, however soon that is", () => {
    const s = connected("new", [1, 2, 3], 5);
    copies(s, 2, 1000);
    s.gone(1);
    expect(commits(s, 3, 7, 1001)).toEqual(["end 2: copied-history", "3 < finish T7"]);
  });

  it("and has made that commit stands at it: it waits for the next one's, and is sent away then", () => {
    const s = connected("new", [1, 2, 3], 5);
    copies(s, 2, 1000);
    s.gone(1);
    expect(commits(s, 3, 7, 1001)).toEqual(["end 2: copied-history", "3 < finish T7"]);
    verifies(s, 4, 7);
    expect(commits(s, 3, 8, 1002)).toEqual(["3 < finish T8"]);
    expect(s.invalidation(4, 8, [9])).toContain("4 < T8 [9] as it is");
    expect(commits(s, 4, 9, 1003)).toEqual(["end 3: copied-history", "4 < finish T9"]);
    s.connected([5], 9);
    s.getInvalidations(5);
    expect(s.getInvalidationsReply(5, 8, [9, [9]])).toEqual(["5 < getInvalidations(T8): None"]);
    expect(s.ledger.state.copied).toBe(undefined);
  });

  it("but not while the next transaction to be copied is on its way: the server would name that one as its last", () => {
    const s = connected("new", [1, 2, 3], 5);
    copies(s, 2, 1000);
    s.begin(1, { restored: [3], tid: 3 });
    s.finish(1);
    expect(commits(s, 2, 7, 1000 + COPYING_MS)).toEqual([]);
    expect(s.finishReply(1, 3, 1001 + COPYING_MS)).toEqual(["1 < finish T3", "2 < finish T7"]);
    expect(commits(s, 2, 8, 1001 + 2 * COPYING_MS)).toContain("end 3: copied-history");
  });

  it("but not whoever has copied all of it", () => {
    const s = connected("new", [1, 2, 3], 5);
    for (const tid of [1, 2, 4]) copies(s, tid, tid);
    expect(commits(s, 2, 7, 2 * COPYING_MS)).toEqual(["end 3: copied-history", "2 < finish T7"]);
    s.connected([4], 7);
    expect(commits(s, 4, 9, 2 * COPYING_MS)).toContain("end 2: copied-history");
    expect(s.ledger.isRegistered(1)).toBe(true);
  });

  it("where two have copied each verifies what the other has", () => {
    const s = connected("new", [1, 2, 3], 5);
    copies(s, 2, 0);
    copies(s, 4, 1, 2);
    expect(commits(s, 3, 7, 1 + COPYING_MS)).toEqual([
      "end 1: copied-history",
      "end 2: copied-history",
      "3 < finish T7",
    ]);
  });
});

describe("who comes since something was copied", () => {
  it("is not sent away if it has verified", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2);
    s.connected([3], 5);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 4, [5, [9]])).toEqual(["3 < getInvalidations(T4): None"]);
    expect(commits(s, 1, 7, COPYING_MS)).toEqual(["end 2: copied-history", "1 < finish T7"]);
  });

  it("nor if the server itself has answered None", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2);
    s.connected([3], 5);
    s.getInvalidations(3);
    s.getInvalidationsReply(3, 4, undefined);
    expect(commits(s, 1, 7, COPYING_MS)).toEqual(["end 2: copied-history", "1 < finish T7"]);
  });

  it("is sent away if it has asked nothing: its cache may stand where the server does", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2);
    s.connected([3], 5);
    expect(commits(s, 1, 7, COPYING_MS)).toEqual(["end 2: copied-history", "end 3: copied-history", "1 < finish T7"]);
  });

  it("is sent away if it has verified before more was copied", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2);
    s.connected([3], 5);
    s.getInvalidations(3);
    s.getInvalidationsReply(3, 4, [5, [9]]);
    copies(s, 3);
    expect(commits(s, 1, 7, COPYING_MS)).toContain("end 3: copied-history");
  });

  it("verifies from a commit, too, that was told while more was copied", () => {
    const s = connected("new", [1, 2], 5);
    copies(s, 2, 1000);
    commits(s, 1, 7, 1001);
    s.invalidation(2, 7, [9]);
    s.gone(2);
    s.connected([3], 7);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 7, [7, []])).toEqual(["3 < getInvalidations(T7): None"]);
  });

  it("is sent away if it has asked nothing since the committer was left: it may be that one's client", () => {
    const s = committerIsLeft();
    s.connected([4], 7); // that session 3 has gone is not known yet
    verifies(s, 5, 7);
    expect(commits(s, 5, 8, 1003)).toEqual(["end 3: copied-history", "end 4: copied-history", "5 < finish T8"]);
    expect(s.ledger.state.copied).toBe(undefined);
  });

  it("is not resumed from where the committer stands, while that is left", () => {
    const s = committerIsLeft();
    s.connected([4], 8);
    s.getInvalidations(4);
    expect(s.getInvalidationsReply(4, 7, [8, [9]])).toEqual(["4 < getInvalidations(T7): None"]);
  });

  it("is sent away, too, where the committer's next one settles behind another's", () => {
    const s = committerIsLeft();
    verifies(s, 5, 7);
    s.finishing(3, { modified: [8] });
    s.gone(3);
    s.connected([4], 7); // its client, before the server has read that finish
    s.finishing(5, { modified: [9] });
    expect(s.finishReply(5, 9, 1004)).toEqual(["end 4: copied-history"]);
    s.finishReply(3, 8, 1005);
    commits(s, 5, 10, 1006);
    expect(s.ledger.state.copied).toBe(undefined);
  });
});

/** Session 1 has copied T2 and gone, 3 has committed T7. */
function committerIsLeft(): Script {
  const s = connected("new", [1, 2, 3], 5);
  copies(s, 2, 1000);
  s.gone(1);
  expect(commits(s, 3, 7, 1001)).toEqual(["end 2: copied-history", "3 < finish T7"]);
  return s;
}

/** A client comes, and is answered None. */
function verifies(s: Script, session: number, last: number): void {
  s.connected([session], last);
  s.getInvalidations(session);
  s.getInvalidationsReply(session, 1, undefined);
}

describe("one that was to be copied, and comes to nothing", () => {
  it.each(["None", "an exception"])(
    "answered %s: what was taken for its message is made good by the next commit",
    (how) => {
      const s = connected("new", [1, 2, 3], 4);
      expect(s.invalidation(2, 5, [9])).toContain("2 < T5 [9] as it is");
      s.begin(1, { restored: [1], tid: 5 });
      s.finish(1);
      expect(s.invalidation(3, 5, [9])).toEqual([]);
      if (how === "None") s.finishReply(1, undefined);
      else s.finishFailed(1);
      expect(commits(s, 2, 6, 0)).toEqual(["end 1: copied-history", "end 3: copied-history", "2 < finish T6"]);
    },
  );

  it("is forgotten where no message was", () => {
    const s = connected("new", [1, 2], 5);
    s.begin(1, { restored: [3], tid: 3 });
    s.finish(1);
    s.finishFailed(1);
    expect(s.ledger.state.copied).toBe(undefined);
    expect(isCopied(s.ledger.state, tidOf(3))).toBe(false);
    expect(commits(s, 1, 7, 0)).toEqual(["1 < finish T7"]);
  });

  it("is told by the next commit where nobody knows whether it has", () => {
    const s = connected("new", [1, 2], 5);
    s.begin(1, { restored: [4], tid: 2 });
    s.vote(1);
    s.voteGranted(1);
    s.finish(1);
    expect(s.serverGone(1)).toContain("end 2: unknown-commit");
    s.connected([4, 6], 5); // the server may name the highest one
    expect(commits(s, 6, 7, 1)).toEqual(["end 4: copied-history", "6 < finish T7"]);
  });
});

describe("the commit that ends the copying", () => {
  it("is not one that may have been there before it: the server would still name the one that was copied", () => {
    const s = connected("new", [1, 2, 3], 5);
    s.finishing(2, { modified: [9] });
    copies(s, 2, 0);
    s.gone(1);
    expect(s.finishReply(2, 7, 1)).toEqual(["2 < finish T7"]);
    expect(commits(s, 2, 8, 2)).toEqual(["end 3: copied-history", "2 < finish T8"]);
  });

  it("nor one that was forwarded before the reply of what is copied was read", () => {
    const s = connected("new", [1, 2, 3], 5);
    s.finishing(1, { restored: [4], tid: 2 });
    s.finishing(2, { modified: [9] });
    s.finishReply(1, 2, 0);
    s.gone(1);
    expect(s.finishReply(2, 7, 1)).toEqual(["2 < finish T7"]);
  });

  it("ends who waits for anything else", () => {
    const s = connected("new", [1, 2, 3, 4, 5], 5);
    copies(s, 2, 0);
    s.gone(1);
    s.finishing(2, { modified: [9] });
    s.finishing(3, { modified: [8] });
    s.load(4);
    expect(s.loadReply(4, 8)).toEqual([]);
    s.load(5);
    expect(s.loadReply(5, 8)).toEqual([]);
    s.ledger.otherMessage(5, { payload: "info", bytes: 1 });
    expect(s.finishReply(2, 7, 1)).toEqual(["end 4: copied-history", "end 5: copied-history"]);
  });

  it("is none of the committer's that is left", () => {
    const s = committerIsLeft();
    expect(commits(s, 3, 8, 500_000)).toEqual(["3 < finish T8"]);
    expect(s.ledger.state.copyingEndedAt).toBe(1001);
  });

  it("comes 30 s behind the last time, where whoever copied has gone", () => {
    const s = connected("new", [1, 2, 3], 5);
    copies(s, 2, 1000);
    s.gone(1);
    commits(s, 3, 7, 1001);
    s.connected([4, 5], 7);
    copies(s, 3, COPYING_MS, 4);
    s.gone(4);
    expect(commits(s, 3, 8, 1000 + COPYING_MS)).toEqual(["3 < finish T8"]);
    expect(commits(s, 3, 9, 1001 + COPYING_MS)).toEqual(["end 5: copied-history", "3 < finish T9"]);
  });

  it("is put off by what was copied before one that has failed", () => {
    const s = connected("new", [1, 2, 3], 5);
    copies(s, 2, 1000);
    s.begin(1, { restored: [3], tid: 3 });
    s.finish(1);
    s.invalidation(3, 3, [9]);
    s.finishFailed(1);
    expect(commits(s, 2, 7, 999 + COPYING_MS)).toEqual(["2 < finish T7"]);
    expect(commits(s, 2, 8, 1000 + COPYING_MS)).toContain("end 3: copied-history");
  });

  it("ends nobody who waits for the reply to a finish, but behind that", () => {
    const s = connected("new", [1, 2, 3, 4], 5);
    copies(s, 2, 0);
    s.gone(1);
    s.finishing(2, { modified: [9] });
    s.finishing(3, { modified: [8] });
    expect(s.finishReply(2, 7, 1)).toContain("end 4: copied-history");
    expect(s.finishReply(3, 8, 2)).toEqual(["2 < finish T7"]);
    expect(s.invalidation(3, 7, [9])).toEqual(["3 < T7 [9] as it is", "3 < finish T8"]);
    verifies(s, 5, 8);
    expect(commits(s, 5, 9, 3)).toEqual(["end 2: copied-history", "end 3: copied-history", "5 < finish T9"]);
    expect(s.ledger.state.copied).toBe(undefined);
  });

  it("comes once in 30 s where each transaction is copied over a connection of its own", () => {
    const s = connected("new", [101], 50);
    const ended = [1, 2, 3, 4].flatMap((n) => {
      const copier = 200 + n;
      s.connected([300 + n, copier], 49 + n);
      copies(s, n, 1000 * n, copier);
      s.gone(copier);
      return commits(s, 101, 50 + n, 1000 * n + 1).filter((line) => line.startsWith("end"));
    });
    expect(ended).toEqual(["end 301: copied-history"]);
    expect(commits(s, 101, 60, 4000 + COPYING_MS)).toEqual([
      "end 302: copied-history",
      "end 303: copied-history",
      "end 304: copied-history",
      "101 < finish T60",
    ]);
  });

  it("ends whoever has copied alone, if that has taken the tid of another commit", () => {
    const s = connected("new", [1, 2, 3], 4);
    commits(s, 2, 20, 0);
    expect(copies(s, 20)).toContain("1 < finish T20");
    expect(commits(s, 3, 30, COPYING_MS)).toEqual(["end 1: copied-history", "end 2: copied-history", "3 < finish T30"]);
  });
});

it.each([0, 3])("a database that ends with T%i, below what is known, is another one, whatever is finishing", (last) => {
  const s = connected("new", [1, 2], 5);
  s.finishing(2, { modified: [9] });
  s.lastTransaction(1);
  expect(s.lastTransactionReply(1, last)).toContain("end 1: database-changed");
});

it("one that is copied above what is known is the newest, one at it is copied below", () => {
  const s = connected("new", [1, 2], 5);
  copies(s, 7);
  expect(isCopied(s.ledger.state, tidOf(7))).toBe(false);
  copies(s, 7);
  expect(isCopied(s.ledger.state, tidOf(7))).toBe(true);
});

it("the server's message of one that is copied above what is known is told", () => {
  const s = connected("new", [1, 2], 5);
  s.finishing(1, { restored: [9], tid: 7 });
  expect(s.invalidation(2, 7, [9])).toEqual([]);
  expect(s.finishReply(1, 7)).toEqual(["1 < finish T7", "2 < T7 [9] as it is"]);
});

it("old: so is what was there before where that one is still on its way", () => {
  const s = connected("old", [1, 2], 5);
  s.finishing(1, { created: [9] });
  s.finishReply(1, 7);
  s.finishing(1, { restored: [8], tid: 6 });
  expect(s.questionReply(2, 6)).toEqual([]);
  expect(s.finishReply(1, 6)).toContain("2 < T7 [9] made up");
});

it("a database that ends with a copied transaction, once others are behind it, is a backup", () => {
  const s = connected("new", [1, 2, 3], 5);
  copies(s, 2, 0);
  commits(s, 1, 7, COPYING_MS);
  s.lastTransaction(1);
  expect(s.lastTransactionReply(1, 2)).toContain("end 1: database-changed");
});

it("one with a named tid that another commit passes meanwhile is told in order, and may be the server's last", () => {
  const s = connected("new", [1, 2, 3], 5);
  s.finishing(1, { restored: [4], tid: 6 });
  s.finishing(2, { modified: [9] });
  expect(s.finishReply(2, 7)).toEqual([]);
  s.lastTransaction(3);
  expect(s.lastTransactionReply(3, 6)).toEqual([]);
  expect(s.invalidation(3, 7, [9])).toEqual([]);
  expect(s.invalidation(3, 6, [4])).toEqual([]);
  expect(s.finishReply(1, 6)).not.toContain("copied T6 below T7");
  s.lastTransaction(2);
  expect(s.lastTransactionReply(2, 6)).not.toContain("ledger ended");
  expect(s.ledger.isRegistered(3)).toBe(true);
  expect(s.ledger.state.copied).toBe(undefined);
});

it("so do two, in whatever order they settle", () => {
  const s = connected("new", [1, 2, 3, 4], 5);
  s.finishing(2, { modified: [9] });
  s.finishing(3, { modified: [8] });
  copies(s, 4, 0);
  s.finishReply(2, 9, 1);
  s.finishReply(3, 7, 1);
  s.lastTransaction(4);
  expect(s.lastTransactionReply(4, 4)).not.toContain("end 4: database-changed");
  expect(s.ledger.isRegistered(4)).toBe(true);
});

it("a commit that was there before what was copied takes nothing from that: the server may name it", () => {
  const s = connected("new", [1, 2], 5);
  s.finishing(2, { modified: [9] });
  copies(s, 3, 0);
  s.finishReply(2, 7, 1);
  s.lastTransaction(2);
  expect(s.lastTransactionReply(2, 3)).toEqual(["2 < lastTransaction T3"]);
});

describe("a commit of others, which does not pass here", () => {
  it("sends away who was there, as soon as the first message of it is read", () => {
    const s = connected("new", [1, 2, 3], 5);
    copies(s, 2);
    expect(s.invalidation(2, 7, [9], COPYING_MS)).toEqual(["end 2: copied-history", "end 3: copied-history"]);
    expect(s.invalidation(1, 7, [9], COPYING_MS)).toContain("1 < T7 [9] as it is");
    s.connected([4], 7);
    s.getInvalidations(4);
    expect(s.getInvalidationsReply(4, 5, [7, [9]])).toEqual(["4 < getInvalidations(T5): None"]);
  });

  it("sends nobody away while it may be one of a client here, which is finishing", () => {
    const s = connected("new", [1, 2, 3], 5);
    copies(s, 2);
    s.finishing(3, { modified: [9] });
    expect(s.invalidation(2, 7, [9], COPYING_MS)).toEqual([]);
    expect(s.finishReply(3, 7, COPYING_MS)).toEqual(["end 2: copied-history", "3 < finish T7"]);
  });

  it("sends nobody away as long as more is copied, nor if it is an old one", () => {
    const s = connected("new", [1, 2, 3], 5);
    copies(s, 2);
    expect(s.invalidation(2, 7, [9], COPYING_MS - 1)).toContain("2 < T7 [9] as it is");
    expect(s.invalidation(3, 7, [9], COPYING_MS)).toContain("3 < T7 [9] as it is");
  });
});

it("old: what was there before is told when a question is answered with the tid of one that was copied", () => {
  const s = connected("old", [1, 2], 5);
  s.finishing(1, { created: [9] });
  expect(s.finishReply(1, 7)).toEqual(["ask 2", "1 < finish T7"]);
  copies(s, 6);
  expect(s.questionReply(2, 6)).toContain("2 < T7 [9] made up");
  expect(s.ledger.isOwing).toBe(false);
});

it("old: a commit that has settled since the question was asked is asked for again", () => {
  const s = connected("old", [1, 2], 5);
  s.finishing(1, { created: [9] });
  s.finishReply(1, 7);
  copies(s, 6);
  s.finishing(1, { created: [8] });
  s.finishReply(1, 9, 0);
  expect(s.questionReply(2, 6)).toEqual(["ask 2", "2 < T7 [9] made up", "log T7: 0 completed, 1 made up"]);
});

describe("the server's own message of one that is copied", () => {
  it.each(["before", "behind"] as const)("is not passed on, %s the reply to its finish", (order) => {
    const s = connected("new", [1, 2], 5);
    s.begin(1, { restored: [3], tid: 3 });
    s.finish(1);
    if (order === "before") expect(s.invalidation(2, 3, [])).toEqual([]);
    expect(s.finishReply(1, 3, 1001)).toEqual(["copied T3 below T5", "1 < finish T3"]);
    if (order === "behind") expect(s.invalidation(2, 3, [])).toEqual([]);
    expect(s.ledger.heldBytes(2)).toBe(0);
  });

  it("nor is it taken for another database's, where the server names it as its last before the reply", () => {
    const s = connected("old", [1, 2], 5);
    s.invalidation(1, 5, [1]);
    s.finishing(1, { restored: [3], tid: 3 });
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 3)).toEqual([]);
    expect(s.finishReply(1, 3)).toEqual(["copied T3 below T5", "1 < finish T3", "2 < lastTransaction T3"]);
  });
});

it("of ten thousand it is known that they were copied; then the oldest is forgotten", () => {
  const state = history();
  state.known = tidOf(20_000);
  for (let n = 1; n <= 10_000; n++) copiedHistory(state, settled(n), 0, []);
  expect(isCopied(state, tidOf(1))).toBe(true);
  copiedHistory(state, settled(10_001), 0, []);
  expect([1, 2, 10_001].map((n) => isCopied(state, tidOf(n)))).toEqual([false, true, true]);
});
