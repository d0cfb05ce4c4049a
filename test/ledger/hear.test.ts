import { describe, expect, it } from "vitest";
import { connected, Script } from "./script.ts";

/* The server's own invalidation. Session 1 commits, 2 looks on, 3 comes late. */

describe("of a commit that passed through here", () => {
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

  it.each([
    [[4], [7]],
    [[4, 7], [4]],
    [[4], [4, 7]],
    [[], [7]],
  ] as const)(
    "two different messages before the reply: each is told with what it lacks itself: %j, %j",
    (two, three) => {
      const s = connected("new", [1, 2, 3]);
      s.finishing(1, { modified: [4], created: [5] });
      // The last one that is read is the first one that goes out.
      s.invalidation(3, 1, three);
      s.invalidation(2, 1, two);
      const told = s.finishReply(1, 1).filter((line) => line.includes("T1 ["));
      const oids = told.map((line) => [...line.matchAll(/(?<=[[ ])\d+(?=[\] ])/g)].map(([oid]) => Number(oid)).sort());
      const all = [...new Set([4, 5, ...two, ...three])].sort();
      expect(oids).toEqual([all, all]);
    },
  );

  it.each(["old", "new"] as const)("%s: the reply first", (server) => {
    const s = connected(server);
    s.finishing(1, { modified: [4], created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.invalidation(2, 1, [4])).toEqual(["2 < T1 [4 5] completed", "log T1: 1 completed, 0 made up"]);
  });

  it("one that is complete passes as it is, and nothing is logged", () => {
    const s = connected("new");
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [5, 4])).toEqual(["2 < T1 [5 4] as it is"]);
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

  it("new: that of a later commit waits until the earlier one is over, though a client is skipped", () => {
    const s = connected("new", [1, 2, 3]);
    s.finishing(1, { created: [5] }); // T1, of which the server does not tell 3
    s.finishing(2, { created: [6] }); // T2
    s.finishReply(2, 2);
    expect(s.invalidation(3, 2, [])).toEqual([]);
    expect(s.finishReply(1, 1).filter((line) => line.startsWith("3 <"))).toEqual([
      "3 < T1 [5] made up",
      "3 < T2 [6] completed",
    ]);
  });
});

describe("of a client's own commit, from a fan-out server", () => {
  it("before the reply, it never reaches its finish", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    expect(s.invalidation(1, 1, [4])).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
  });

  it("after the reply, it is swallowed", () => {
    const s = connected("new");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    expect(s.invalidation(1, 1, [4])).toEqual([]);
  });

  it("after the reply, though it has committed another since", () => {
    const s = connected("new");
    for (const tid of [1, 2]) {
      s.finishing(1, { modified: [4] });
      s.finishReply(1, tid);
    }
    expect(s.invalidation(1, 1, [4])).toEqual([]);
    expect(s.invalidation(1, 2, [4])).toEqual([]);
  });

  it("after the reply, even when the history has forgotten the commit already", () => {
    const s = new Script("new", {}, 0);
    s.connected([1]);
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("not settled");
    expect(s.invalidation(1, 1, [4])).toEqual([]);
  });
});

describe("that comes too late", () => {
  it("is swallowed after one was made up, where it names nothing new", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    s.lastTransaction(2);
    s.lastTransactionReply(2, 1); // proves, wrongly here, that none will come
    expect(s.invalidation(2, 1, [4])).toEqual([]);
  });

  it("is told again where it names something new", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.load(2);
    s.loadReply(2, 1);
    expect(s.invalidation(2, 1, [9])).toEqual(["late T1", "2 < T1 [9] late"]);
  });

  it("is told again where the history has forgotten what it named", () => {
    const s = new Script("new", {}, 0);
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.load(2);
    expect(s.loadReply(2, 0)).toContain("2 < T1 [5] made up"); // the loop had read both connections at once
    s.finishing(1, { created: [6] });
    s.finishReply(1, 2);
    expect(s.known(1)).toBe("not settled");
    expect(s.invalidation(2, 1, [7])).toEqual(["late T1", "2 < T1 [7] late"]);
  });

  it("is told to whom it was never told, since that registered later, though it names nothing new", () => {
    const s = connected("new", [1]);
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.connected([2], 1);
    s.load(2);
    s.loadReply(2, 1);
    s.invalidation(2, 2, [9]);
    expect(s.invalidation(2, 1, [4])).toEqual(["late T1", "2 < T2 [4] late"]);
  });

  it("is told under the later tid where nobody here committed it", () => {
    const s = connected("old");
    expect(s.invalidation(2, 2, [9])).toEqual(["foreign T2", "2 < T2 [9] as it is"]);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1", "2 < T2 [8] late"]);
  });
});

it.each(["settles at another tid", "fails", "breaks", "is an orphan's"])(
  "of a tid that may be a commit's is kept until that is over: %s",
  (how) => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.invalidation(2, 1, [9]);
    expect(s.ledger.state.heard.size).toBe(1);
    if (how === "breaks") s.serverGone(1);
    else {
      if (how === "is an orphan's") s.gone(1);
      expect(s.ledger.state.heard.size).toBe(1);
      s.finishReply(1, how === "fails" ? undefined : 2);
    }
    expect(s.ledger.state.heard.size).toBe(0);
  },
);

describe("what the server has named of a tid that may be a commit's", () => {
  it("is kept while others are over", () => {
    const s = connected("old", [1, 2, 3, 4]);
    s.finishing(1, { created: [5], undoes: true });
    s.finishing(4, {});
    s.invalidation(3, 1, [9]);
    s.gone(3);
    s.finishReply(4, undefined);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5 9]");
  });

  it("is all that it has named, on whatever connections", () => {
    const s = connected("old", [1, 2, 3]);
    s.finishing(1, { undoes: true });
    s.invalidation(2, 1, [9]);
    s.gone(2);
    s.invalidation(3, 1, [8]);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[8 9]");
  });

  it("is not kept of one that is no commit's that is finishing: their tids lie above their bases", () => {
    const s = connected("new", [1, 2, 3]);
    s.invalidation(1, 5, [9]);
    expect([...s.ledger.state.heard.keys()]).toEqual([]);
    s.finishing(1, { created: [5] }); // above T5
    s.invalidation(2, 4, [9]);
    s.invalidation(2, 5, [9]);
    expect([...s.ledger.state.heard.keys()]).toEqual([]);
    s.invalidation(2, 7, [9]);
    s.finishing(3, { created: [6] }); // above T7
    s.invalidation(2, 6, [9]);
    expect([...s.ledger.state.heard.keys()]).toEqual([7n, 6n]);
    s.finishReply(1, undefined);
    expect([...s.ledger.state.heard.keys()]).toEqual([]);
  });
});

it("what the server has named of an undo is known at once, though the message waits", () => {
  const s = connected("old", [1, 2, 3, 4]);
  s.finishing(1, { undoes: true });
  s.finishing(4, {});
  s.finishReply(1, 1);
  expect(s.invalidation(2, 1, [9])).toEqual([]);
  s.lastTransaction(3);
  expect(s.lastTransactionReply(3, 1)).toEqual([]);
  expect(s.finishReply(4, undefined)).toContain("3 < T1 [9] made up");
});
