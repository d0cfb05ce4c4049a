import { describe, expect, it } from "vitest";
import { settledBytes } from "../../src/ledger/history.ts";
import { asTid } from "../../src/wire/ids.ts";
import { connected, packed, Script } from "./script.ts";

/* What a reply to `tpc_finish` says of its commit. Session 1 commits, 2 looks on, 3 comes late. */

describe("a reply without a tid", () => {
  it.each(["old", "new"] as const)("%s: a finish without a tid settles nothing and releases what waited", (server) => {
    const s = connected(server);
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 1)).toEqual([]);
    expect(s.finishReply(1, undefined)).toEqual(["1 < finish None", "2 < lastTransaction T1"]);
    expect(s.known(1)).toBe("not settled");
  });

  it("new: a finish without begin commits what nobody here knows", () => {
    const s = connected("new");
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [9])).toEqual(["2 < T1 [9] as it is"]);
  });
});

describe("an empty transaction", () => {
  it("old: its reply shows another commit's tid and waits for that commit", () => {
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

  it("new: it has a tid and a message of its own", () => {
    const s = connected("new");
    s.finishing(1, {});
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [])).toEqual(["2 < T1 [] as it is"]);
  });
});

describe("a silent commit", () => {
  it("old: an object stored with serial None is announced by the server, so nothing is asked", () => {
    const s = connected("old");
    s.finishing(1, { createdNone: [5] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.tick(999)).toEqual([]);
    expect(s.invalidation(2, 1, [5])).toEqual(["2 < T1 [5] as it is"]);
  });

  it("old: a server that announces created oids is asked all the same, and its message is told once", () => {
    const s = connected("old");
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    expect(s.invalidation(2, 1, [5])).toEqual(["2 < T1 [5] as it is"]);
    expect(s.questionReply(2, 1)).toEqual([]);
  });

  it("old: whether a commit is silent is not learnt from what the server sent before", () => {
    const s = connected("old");
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.invalidation(2, 1, [5]);
    s.questionReply(2, 1);
    s.finishing(1, { created: [6] });
    expect(s.finishReply(1, 2)).toEqual(["ask 2", "1 < finish T2"]);
    expect(s.questionReply(2, 2)).toEqual(["2 < T2 [6] made up", "log T2: 0 completed, 1 made up"]);
  });
});

describe("the history counts what it has", () => {
  it.each(["old", "new"] as const)(
    "%s: also of what the server named before the commit settled, and behind it",
    (server) => {
      const s = connected(server, [1, 2, 3]);
      for (const [tid, stores] of [
        [2, { undoes: true }],
        [3, { modified: [4] }],
      ] as const) {
        s.finishing(1, stores);
        s.invalidation(2, tid, [4, 5, 6]);
        s.finishReply(1, tid);
        s.invalidation(3, tid, [4, 5, 6, 7]);
        const { history, historyBytes } = s.ledger.state;
        expect(history).toHaveLength(tid - 1);
        expect(historyBytes).toBe(history.reduce((sum, settled) => sum + settledBytes(settled), 0));
      }
    },
  );
});

describe("a tid that is known already, or lies below", () => {
  it.each([7, 10])("new: can't be told in order, whoever gave it: all others verify (T%i, known is T10)", (tid) => {
    const s = connected("new");
    for (const session of [1, 2]) s.invalidation(session, 10, [1]);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, tid)).toEqual([`copied T${tid} below T10`, "end 2: copied-history", `1 < finish T${tid}`]);
  });

  it.each([1, 2])(
    "that a client was told of ends that client (T%i); it takes a rule that is off to come to this",
    (tid) => {
      const s = new Script("old", { holdEvidence: false });
      s.connected([1, 2]);
      s.finishing(1, { modified: [4] });
      expect(s.invalidation(2, 2, [9])).toEqual(["foreign T2", "2 < T2 [9] as it is"]);
      expect(s.finishReply(1, tid)).toContain("end 2: commit-out-of-order");
    },
  );
});

describe("a commit that one is owed no more as soon as it settles, since its server has ended", () => {
  /** 2 is closing, and 3 looks on. */
  function closing(server: "old" | "new", order: readonly number[]): Script {
    const s = connected(server, order);
    s.load(2);
    s.finishing(1, { created: [5], ...(server === "new" ? { modified: [4] } : {}) });
    expect(s.loadReply(2, 1, false)).toEqual([]);
    expect(s.serverGone(2)).toEqual([]);
    return s;
  }

  it.each([
    [1, 2, 3],
    [1, 3, 2],
  ])("old: the others are asked at once: in the order %i, %i, %i", (...order) => {
    expect(closing("old", order).finishReply(1, 1)).toContain("ask 3");
  });

  it.each([
    [1, 2, 3],
    [1, 3, 2],
  ])("new: all is known of it until they are told: in the order %i, %i, %i", (...order) => {
    const s = closing("new", order);
    s.finishReply(1, 1);
    s.ledger.invalidation(3, { tid: asTid(1n), oids: packed([4]) }, 0, { payload: "T1", bytes: 10 });
    const [repaired] = s.ledger.take().filter((action) => action.do === "repaired");
    expect(repaired?.settled.changes.created).toEqual(packed([5]));
    expect(repaired?.settled.added).toEqual(packed([5]));
    expect(s.ledger.facts.patched).toBe("no");
  });
});
