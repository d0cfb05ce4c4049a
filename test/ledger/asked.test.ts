import { describe, expect, it } from "vitest";
import { StorageLedger } from "../../src/ledger/ledger.ts";
import { ALL_RULES } from "../../src/ledger/rules.ts";
import { newState } from "../../src/ledger/state.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";
import { connected, packed, Script } from "./script.ts";

/* What the caller may ask of a ledger. Session 1 commits, 2 looks on; 9 is nobody. */

describe("a session", () => {
  it("is kept from register on until it has left, for a commit on its way too", () => {
    const s = new Script("new");
    expect(s.ledger.isKept(1)).toBe(false);
    s.register(1);
    expect(s.ledger.isKept(1)).toBe(true);
    s.registerReply(1);
    s.finishing(1, { created: [1] });
    s.gone(1);
    expect(s.ledger.isKept(1)).toBe(true);
    s.finishReply(1, 1);
    expect(s.ledger.isKept(1)).toBe(false);
  });

  it("is registered from the reply on, while its client lives", () => {
    const s = new Script("new");
    expect(s.ledger.isRegistered(1)).toBe(false);
    s.register(1);
    expect(s.ledger.isRegistered(1)).toBe(false);
    s.registerReply(1);
    expect(s.ledger.isRegistered(1)).toBe(true);
    s.finishing(1, { created: [1] });
    s.gone(1);
    expect(s.ledger.isRegistered(1)).toBe(false);
  });

  it("is asking from the question on until its reply, while its client lives", () => {
    const s = connected("old");
    expect([s.ledger.isAsking(2), s.ledger.isAsking(9)]).toEqual([false, false]);
    s.finishing(1, { created: [1] });
    expect(s.finishReply(1, 1)).toContain("ask 2");
    expect([s.ledger.isAsking(1), s.ledger.isAsking(2)]).toEqual([false, true]);
    s.questionReply(2, 1);
    expect(s.ledger.isAsking(2)).toBe(false);
  });

  it("is finishing while a tpc_finish of its own is on its way", () => {
    const s = connected("new");
    expect(s.ledger.isFinishing(1)).toBe(false);
    s.finishing(1, { created: [1] });
    expect([s.ledger.isFinishing(1), s.ledger.isFinishing(2)]).toEqual([true, false]);
    s.finishReply(1, 1);
    expect(s.ledger.isFinishing(1)).toBe(false);
  });

  it.each(["old", "new"] as const)(
    "%s: has voted from a granted vote on until it begins, aborts or finishes",
    (server) => {
      const s = connected(server);
      const granted = (): boolean => s.ledger.hasVoted(1);
      const vote = (): void => {
        s.begin(1, { created: [1] });
        s.vote(1);
        expect(granted()).toBe(false);
        s.voteGranted(1);
        expect(granted()).toBe(true);
      };
      expect([granted(), s.ledger.hasVoted(9)]).toEqual([false, false]);
      vote();
      s.abort(1);
      expect(granted()).toBe(false);
      vote();
      s.begin(1, {});
      expect(granted()).toBe(false);
      vote();
      s.voteFailed(1);
      expect(granted()).toBe(false);
      vote();
      s.finish(1);
      expect(granted()).toBe(false);
    },
  );

  it("is quiet while nothing is held, due or finishing, and so is one that nobody knows", () => {
    const s = connected("new");
    expect([s.ledger.isQuiet(2), s.ledger.isQuiet(9)]).toEqual([true, true]);
    s.finishing(1, { created: [1] });
    expect([s.ledger.isQuiet(2), s.ledger.isQuiet(9)]).toEqual([false, true]);
  });

  it("has not verified its cache where nobody knows it", () => {
    expect(connected("new").ledger.workForwarded(9)).toBe(false);
  });

  it("may be left unread where nobody knows it", () => {
    expect(connected("new").ledger.mayPause(9, false)).toBe(true);
  });
});

describe("what is held", () => {
  it.each(["old", "new"] as const)("%s: is counted in bytes, and is nothing when it has gone out", (server) => {
    const s = connected(server, [1, 2, 3]);
    expect([s.ledger.heldBytes(2), s.ledger.heldBytes(9)]).toEqual([0, 0]);
    s.finishing(1, { created: [1], modified: [2] });
    s.invalidation(2, 1, [2]);
    s.other(2, "info");
    expect(s.ledger.heldBytes(2)).toBe(20);
    expect([...s.ledger.firstHeld()]).toEqual([{ session: 2, payload: "T1 [2] as it is" }]);
    s.finishReply(1, 1);
    expect(s.ledger.heldBytes(2)).toBe(0);
    expect([...s.ledger.firstHeld()]).toEqual([]);
  });

  it("is nothing of a fan-out server's message of a client's own commit, once that has settled", () => {
    const s = connected("new");
    s.finishing(1, { modified: [2] });
    s.invalidation(1, 1, [2]);
    expect(s.ledger.heldBytes(1)).toBe(10);
    s.finishReply(1, 1);
    expect(s.ledger.heldBytes(1)).toBe(0);
  });

  it("is named for each session, a made-up message apart", () => {
    const s = connected("old", [1, 2, 3, 4]);
    s.finishing(1, { created: [1] });
    s.finishReply(1, 1);
    s.finishing(4, { created: [2] });
    // What is made up of T1 goes out; the reply that shows T2 waits for the commit.
    for (const session of [2, 3]) {
      s.load(session);
      s.loadReply(session, 2);
    }
    expect([...s.ledger.firstHeld()]).toEqual([
      { session: 2, payload: "load T2" },
      { session: 3, payload: "load T2" },
    ]);
  });

  it("makes it owing, and so does what is due", () => {
    const s = connected("new");
    expect(s.ledger.isOwing).toBe(false);
    s.finishing(1, { modified: [2] });
    expect(s.ledger.isOwing).toBe(false);
    s.finishReply(1, 1);
    expect(s.ledger.isOwing).toBe(true);
    s.invalidation(2, 1, [2]);
    expect(s.ledger.isOwing).toBe(false);
    s.finishing(1, { modified: [2] });
    s.invalidation(2, 2, [2]);
    expect(s.ledger.isOwing).toBe(true);
  });
});

describe("a ledger", () => {
  const blank = (): StorageLedger<string> => new StorageLedger<string>(newState("new"));

  it("is blank while it knows nothing, and has nothing to be done", () => {
    expect(blank().isBlank).toBe(true);
    expect(blank().take()).toEqual([]);
    expect(blank().newestFinish).toBe(0);
  });

  it("is blank again when a session has left of which nothing was learnt", () => {
    const ledger = blank();
    ledger.registerForwarded(1);
    expect(ledger.isBlank).toBe(false);
    ledger.clientGone(1);
    expect(ledger.isBlank).toBe(true);
  });

  it("is not blank where anything is known: a reach, a tid, a commit that has settled, one in limbo", () => {
    for (const known of [
      { reach: asTid(1n) },
      { known: asTid(1n) },
      { settles: 1 },
      { limbo: [{ number: 1, oids: packed([1]), base: NO_TID, open: false, since: 0, top: undefined }] },
    ]) {
      expect(new StorageLedger({ ...newState<string>("new"), ...known }).isBlank).toBe(false);
    }
  });

  it("tells people what it has seen: commits, foreign tids, the last tid, and whether created oids are named", () => {
    const s = connected("new", [1, 2, 3]);
    expect(s.ledger.facts).toEqual({
      commits: 0,
      foreign: 0,
      read: 0,
      witness: "off",
      patched: "unknown",
      known: NO_TID,
    });
    s.finishing(1, { created: [4], modified: [5] });
    s.finishReply(1, 1);
    s.invalidation(2, 1, [5]);
    s.invalidation(3, 1, [5]);
    for (const tid of [7, 8]) for (const session of [1, 2, 3]) s.invalidation(session, tid, [6]);
    expect(s.ledger.facts).toEqual({ commits: 1, foreign: 2, read: 0, witness: "off", patched: "no", known: 8n });
    expect(s.ledger.settles).toBe(1);
  });

  it("sees a patched server by a created oid in its message, and asks for nothing where none was created", () => {
    const s = connected("new");
    s.finishing(1, { modified: [5] });
    s.finishReply(1, 1);
    s.invalidation(2, 1, [5]);
    expect(s.ledger.facts.patched).toBe("unknown");
    s.finishing(1, { created: [4] });
    s.finishReply(1, 2);
    s.invalidation(2, 2, [4]);
    expect(s.ledger.facts.patched).toBe("yes");
  });

  it("hands out what is to be done once", () => {
    const { ledger } = connected("new");
    ledger.otherMessage(1, { payload: "info", bytes: 1 });
    const first = ledger.take();
    expect(first).toHaveLength(1);
    expect(ledger.take()).toEqual([]);
    expect(first).toHaveLength(1);
  });

  it("gives one stamp while nothing changes, and another when something settles or is proven", () => {
    const s = connected("new");
    const { stamp } = s.ledger;
    expect(s.ledger.stamp).toBe(stamp);
    s.finishing(1, { modified: [5] });
    s.finishReply(1, 4);
    expect(s.ledger.stamp).toEqual({ order: 1, proven: 4n });
    s.finishing(1, {});
    s.finishReply(1, undefined);
    expect(s.ledger.stamp).toEqual({ order: 1, proven: 4n });
  });
});

it("with orphans not read, a client that goes takes its own commits with it, and no others", () => {
  const s = new Script("new", { ...ALL_RULES, readOrphans: false });
  s.connected([1, 2]);
  s.finishing(1, { created: [1] });
  s.finishing(2, { created: [2] });
  expect(s.gone(1)).toEqual(["close server 1"]);
  expect(s.ledger.state.finishing.map(({ session }) => session)).toEqual([2]);
});
