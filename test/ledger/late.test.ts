import { describe, expect, it } from "vitest";
import { connected, type Script } from "./script.ts";

/* The server tells session 2 of T1 behind T2, or behind what 2 has committed itself. Nobody here has committed T1. */

/** Told of T2; it works, and nothing is held for it. */
function toldOfT2(server: "old" | "new"): Script {
  const s = connected(server);
  s.load(2);
  s.loadReply(2, 0);
  s.invalidation(2, 2, [9]);
  return s;
}

describe("what comes late is told under the tid where the client's cache stands", () => {
  it.each(["old", "new"] as const)("%s: that of the newest invalidation", (server) => {
    expect(toldOfT2(server).invalidation(2, 1, [8])).toEqual(["late T1", "2 < T2 [8] late"]);
  });

  it.each(["old", "new"] as const)("%s: that of its own commit", (server) => {
    const s = toldOfT2(server);
    s.finishing(2, { modified: [4] });
    s.finishReply(2, 3);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1", "2 < T3 [8] late"]);
    expect(s.invalidation(2, 2, [7])).toEqual(["late T2", "2 < T3 [7] late"]);
  });

  it("that of its own commit, though it was told of no other", () => {
    const s = connected("new");
    s.finishing(2, { modified: [4] });
    s.finishReply(2, 3);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1", "2 < T3 [8] late"]);
  });

  it("that from which it was resumed", () => {
    const s = connected("old", [1]);
    s.invalidation(1, 4, [9]);
    s.register(2);
    s.registerReply(2, 4);
    s.lastTransaction(2);
    s.lastTransactionReply(2, 4);
    s.getInvalidations(2);
    s.getInvalidationsReply(2, 0, [4, [9]]);
    s.load(2);
    s.loadReply(2, 4);
    s.invalidation(2, 3, [9]); // passes: it was told of none
    expect(s.invalidation(2, 2, [8])).toEqual(["late T2", "2 < T4 [8] late"]);
  });

  it("old: that which it was told is the last, when it asked before it worked", () => {
    const s = connected("old", [1]);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 4);
    s.connected([2], 4);
    s.load(2);
    s.loadReply(2, 4);
    s.invalidation(2, 3, [9]); // passes: it was told of none
    expect(s.invalidation(2, 2, [8])).toEqual(["late T2", "2 < T4 [8] late"]);
  });

  it("not that which it is told is the last while it works: its cache does not move for that", () => {
    const s = toldOfT2("old");
    s.lastTransaction(2);
    s.lastTransactionReply(2, 7);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1", "2 < T2 [8] late"]);
  });

  it("with the whole set of a commit that is known", () => {
    const s = connected("new");
    s.load(2);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.finishing(2, { modified: [4] }); // its vote proves nothing: it was forwarded before
    s.finishReply(2, 2);
    s.loadReply(2, 0);
    s.load(2);
    s.loadReply(2, 2);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1", "2 < T2 [5 8] late"]);
  });

  it("and is in the complete set of its commit from then on", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.load(2);
    s.loadReply(2, 1);
    s.invalidation(2, 1, [9]);
    expect(s.known(1)).toBe("[4 9]");
  });
});

describe("but not of what changed in that transaction: the file of a cache would keep it as current", () => {
  it.each(["old", "new"] as const)("%s: of what it was told of", (server) => {
    expect(toldOfT2(server).invalidation(2, 1, [8, 9])).toEqual(["late T1", "2 < T2 [8] late"]);
    expect(toldOfT2(server).invalidation(2, 1, [9])).toEqual(["late T1"]);
  });

  it("of what was made up", () => {
    const s = connected("old");
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    s.questionReply(2, 2);
    s.load(2);
    s.loadReply(2, 2);
    expect(s.invalidation(2, 1, [5, 8])).toEqual(["late T1", "2 < T2 [8] late"]);
  });

  it("of what was completed", () => {
    const s = toldOfT2("new");
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 3);
    s.invalidation(2, 3, [4]);
    expect(s.invalidation(2, 1, [4, 5, 8])).toEqual(["late T1", "2 < T3 [8] late"]);
  });

  it("of what it has committed itself", () => {
    const s = toldOfT2("new");
    s.finishing(2, { modified: [4], created: [5] });
    s.finishReply(2, 3);
    expect(s.invalidation(2, 1, [4, 5, 8, 9])).toEqual(["late T1", "2 < T3 [8 9] late"]);
  });

  it("of what it was answered when it came back", () => {
    const s = connected("old", [1]);
    s.invalidation(1, 4, [5]);
    s.register(2);
    s.registerReply(2, 4);
    s.lastTransaction(2);
    s.lastTransactionReply(2, 4);
    s.getInvalidations(2);
    s.getInvalidationsReply(2, 0, [4, [5, 7]]);
    s.load(2);
    s.loadReply(2, 4);
    s.invalidation(2, 3, [9]);
    expect(s.invalidation(2, 2, [5, 7, 8])).toEqual(["late T2", "2 < T4 [8] late"]);
  });

  it("of what is known of the tid with which it registered", () => {
    const s = connected("new", [1]);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 4);
    s.connected([2], 4);
    s.load(2);
    s.loadReply(2, 4);
    s.invalidation(2, 3, [9]); // passes: it was told of none
    expect(s.invalidation(2, 2, [5, 8])).toEqual(["late T2", "2 < T4 [8] late"]);
  });

  it("where that is not known the session ends, and nobody goes on from there", () => {
    const s = toldOfT2("new");
    s.finishing(2, { undoes: true });
    s.finishReply(2, 3);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1", "end 2: invalidation-out-of-order"]);
    s.connected([4], 3);
    s.getInvalidations(4);
    expect(s.getInvalidationsReply(4, 3, [3, []])).toEqual(["4 < getInvalidations(T3): None"]);
  });

  it("nor is it known, though what it was told ahead of the reply to its undo is", () => {
    const s = connected("new");
    s.load(2);
    s.loadReply(2, 0);
    s.finishing(1, { created: [5] });
    s.finishing(2, { undoes: true });
    expect(s.finishReply(2, 3)).toEqual([]);
    s.invalidation(2, 2, [9]);
    expect(s.finishReply(1, undefined).slice(1)).toEqual(["foreign T2", "2 < T2 [9] as it is", "2 < finish T3"]);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1", "end 2: invalidation-out-of-order"]);
  });
});

describe("it waits", () => {
  it("until what was read before has gone out", () => {
    const s = toldOfT2("new");
    s.finishing(1, { created: [5] });
    s.load(2);
    s.loadReply(2, 3);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1"]);
    expect(s.finishReply(1, undefined).slice(1)).toEqual(["2 < load T3", "2 < T2 [8] late"]);
  });

  it("and more of it becomes one message", () => {
    const s = toldOfT2("new");
    s.finishing(1, { created: [5] });
    s.load(2);
    s.loadReply(2, 3);
    s.invalidation(2, 1, [8]);
    s.invalidation(2, 1, [7]);
    expect(s.ledger.heldBytes(2)).toBe(26);
    expect(s.finishReply(1, undefined).slice(2)).toEqual(["2 < T2 [7 8] late"]);
    expect(s.ledger.heldBytes(2)).toBe(0);
  });

  it("until an old client's finish is over, from its granted vote on", () => {
    const s = toldOfT2("old");
    s.begin(2, { modified: [4] });
    s.vote(2);
    s.voteGranted(2);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1"]);
    s.finish(2);
    s.load(2);
    expect(s.loadReply(2, 2)).toEqual(["2 < load T2"]);
    expect(s.finishReply(2, 3)).toEqual(["2 < finish T3", "2 < T3 [8] late"]);
  });

  it("or has been aborted, and something else is read", () => {
    const s = toldOfT2("old");
    s.begin(2, { modified: [4] });
    s.vote(2);
    s.voteGranted(2);
    s.invalidation(2, 1, [8]);
    s.abort(2);
    expect(s.ledger.isQuiet(2)).toBe(false);
    s.load(2);
    expect(s.loadReply(2, 2)).toEqual(["2 < load T2", "2 < T2 [8] late"]);
    expect(s.ledger.isQuiet(2)).toBe(true);
  });

  it("not for a new client's finish", () => {
    const s = toldOfT2("new");
    s.finishing(2, { modified: [4] });
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1", "2 < T2 [8] late"]);
  });
});

describe("while a cache is verified", () => {
  /** Has asked for what it missed, and is told of T2 and then of T1. */
  function verifying(server: "old" | "new"): { readonly s: Script; readonly told: string[] } {
    const s = connected(server, [1]);
    s.register(2);
    s.registerReply(2, 1);
    if (server === "old") {
      s.lastTransaction(2);
      s.lastTransactionReply(2, 1);
    }
    s.getInvalidations(2);
    s.invalidation(2, 3, [9]);
    return { s, told: s.invalidation(2, 2, [8]) };
  }

  it("new: it is told when the client works, since until then it would drop it", () => {
    const { s, told } = verifying("new");
    expect(told).toEqual(["late T2"]);
    expect(s.getInvalidationsReply(2, 0, [1, []])).toEqual(["2 < getInvalidations(T0): None"]);
    s.load(2);
    expect(s.loadReply(2, 3)).toEqual(["2 < load T3", "2 < T3 [8] late"]);
    expect(s.ledger.isQuiet(2)).toBe(true);
  });

  it("old: it is told at once, and again when the client works", () => {
    const { s, told } = verifying("old");
    expect(told).toEqual(["late T2", "2 < T3 [8] late"]);
    expect(s.getInvalidationsReply(2, 0, [1, []])).toEqual(["2 < getInvalidations(T0): None"]);
    s.load(2);
    expect(s.loadReply(2, 3)).toEqual(["2 < load T3", "2 < T3 [8] late"]);
    s.load(2);
    expect(s.loadReply(2, 3)).toEqual(["2 < load T3"]);
  });

  it("old: not before the client has learned where it stands, whatever it asks first", () => {
    const s = connected("old", [1]);
    s.register(2);
    s.registerReply(2, 0);
    s.load(2); // `get_info`
    s.invalidation(2, 3, [9]);
    expect(s.invalidation(2, 2, [8])).toEqual(["late T2"]);
    expect(s.loadReply(2, 0)).toEqual(["2 < load T0"]);
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 3)).toEqual(["2 < lastTransaction T3"]);
    s.load(2);
    expect(s.loadReply(2, 3)).toEqual(["2 < load T3", "2 < T3 [8] late"]);
  });
});

describe("a client that leaves before it was told", () => {
  it("does not go on from where it stood", () => {
    const s = toldOfT2("old");
    s.begin(2, { modified: [4] });
    s.vote(2);
    s.voteGranted(2);
    s.invalidation(2, 1, [8]);
    s.gone(2);
    s.connected([3], 2);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 2, [2, []])).toEqual(["3 < getInvalidations(T2): None"]);
  });

  it.each([true, false])(
    "nor where its server's connection ends first; it is known what changed then: %s",
    (isKnown) => {
      const s = connected("new", [1, 2]);
      s.finishing(2, isKnown ? { modified: [4] } : { undoes: true });
      s.finishReply(2, 2);
      s.finishing(1, { created: [5] });
      s.load(2);
      s.loadReply(2, 3); // waits for session 1
      expect(s.invalidation(2, 1, [8])).toEqual(["late T1"]);
      expect(s.serverGone(2)).toEqual([]);
      const told = isKnown ? ["2 < load T3", "2 < T2 [8] late"] : ["2 < load T3"];
      expect(s.finishReply(1, undefined).slice(1)).toEqual([...told, "close client 2"]);
      s.connected([4], 2);
      s.getInvalidations(4);
      const answer = isKnown ? "T2 [] as it is" : "None";
      expect(s.getInvalidationsReply(4, 2, [2, []])).toEqual([`4 < getInvalidations(T2): ${answer}`]);
    },
  );

  it("nor where that one ends while it verifies its cache", () => {
    const s = connected("new", [1]);
    s.register(2);
    s.registerReply(2, 1);
    s.invalidation(2, 3, [9]);
    s.invalidation(2, 2, [8]);
    expect(s.serverGone(2)).toEqual(["close client 2"]);
    s.connected([4], 3);
    s.getInvalidations(4);
    expect(s.getInvalidationsReply(4, 3, [3, []])).toEqual(["4 < getInvalidations(T3): None"]);
  });

  it("but one that was told does", () => {
    const s = toldOfT2("old");
    s.ledger.state.reach = undefined;
    s.invalidation(2, 1, [8]);
    s.gone(2);
    expect(s.ledger.state.reach).toBeUndefined();
  });
});
