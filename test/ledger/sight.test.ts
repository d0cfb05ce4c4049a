import { describe, expect, it } from "vitest";
import { StorageLedger } from "../../src/ledger/ledger.ts";
import { newState } from "../../src/ledger/state.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";
import { packed } from "./script.ts";

const READ = { payload: "message", bytes: 1 } as const;
const PATIENCE = { holdMs: 10, goesOn: false };
const REPLY = { ...READ, order: 0 } as const;

/** A ledger with a witness to which the last transaction is 100, and nothing to look for. */
function watched(family: "old" | "new" = "old"): StorageLedger<string> {
  const ledger = new StorageLedger(newState<string>(family));
  ledger.sightExpected();
  ledger.sightUp(asTid(100n));
  looks(ledger, 100n);
  return ledger;
}

/** A look that names this transaction, and finds these. */
function looks(ledger: StorageLedger<string>, last: bigint, ...tids: bigint[]): void {
  ledger.lookBegins();
  if (ledger.lookNames(asTid(last)) === undefined) return;
  ledger.lookFinds(
    tids.map((tid) => ({ tid: asTid(tid), oids: packed([Number(tid)]) })),
    0,
  );
}

function registers(ledger: StorageLedger<string>, session: number, last: bigint): void {
  ledger.registerForwarded(session);
  ledger.registerReply(session, ledger.family === "new" ? asTid(last) : undefined, READ);
  ledger.lastTransactionReply(session, asTid(last), ledger.stamp, READ);
  ledger.take();
}

/** Session 1 creates, and is granted its vote, which is held no longer. */
function votes(ledger: StorageLedger<string>, explicitTid = NO_TID): void {
  ledger.workForwarded(1);
  ledger.beginForwarded(1, 1, explicitTid);
  ledger.storeForwarded(1, 1, "created", "zero", packed([7]), 0);
  ledger.voteGranted(1, asTid(0n), { ...READ, order: ledger.stamp.order });
  ledger.tick(0, PATIENCE);
  ledger.tick(10, PATIENCE);
}

function done(ledger: StorageLedger<string>): string[] {
  const actions = ledger.take().filter((action) => action.do !== "repaired");
  return actions.map((action) => (action.do === "end" ? action.code : action.do));
}

describe("a witness that is given up", () => {
  it("leaves what waits for it as the server tells it; when it is there again everybody verifies", () => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    ledger.invalidation(1, { tid: asTid(102n), oids: packed([1]) }, 0, READ);
    expect(done(ledger)).toEqual([]);
    ledger.sightAway();
    ledger.sightOff();
    expect(done(ledger)).toEqual(["foreign", "forward"]);
    ledger.sightUp(asTid(102n));
    expect(done(ledger)).toEqual(["unread-commit"]);
  });

  it("ends nobody when it is there again, if nothing was committed meanwhile", () => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    ledger.sightAway();
    ledger.sightOff();
    ledger.sightUp(asTid(100n));
    expect(done(ledger)).toEqual([]);
  });
});

describe("reading back", () => {
  it("is not wanted for what was read meanwhile for somebody else", () => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    registers(ledger, 2, 100n);
    ledger.invalidationsReply(1, asTid(50n), undefined, REPLY);
    const range = ledger.wantedPast;
    expect(range).toEqual({ above: 50n, upTo: 100n });
    if (range !== undefined) ledger.pastBegins(range);
    ledger.invalidationsReply(2, asTid(70n), undefined, REPLY);
    ledger.pastFound([{ tid: asTid(60n), oids: packed([6]) }]);
    expect(done(ledger)).toEqual(["resume", "resume"]);
    expect(ledger.wantedPast).toBeUndefined();
    expect(ledger.state.sight.back).toBeUndefined();
    expect(ledger.state.reach).toBe(50n);
  });

  it("is not waited for by whom the server has left: it asks again when it comes back", () => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    ledger.invalidationsReply(1, asTid(50n), undefined, REPLY);
    expect(done(ledger)).toEqual([]);
    ledger.serverGone(1, false);
    expect(done(ledger)).toEqual(["close-client"]);
  });

  it("is not tried where a look could not read that far: everybody verifies", () => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    ledger.lookBegins();
    ledger.lookNames(asTid(90_000n));
    ledger.lookFinds(undefined, 0);
    expect(done(ledger)).toEqual(["unread-commit"]);
    registers(ledger, 2, 90_000n);
    ledger.invalidationsReply(2, asTid(100n), undefined, REPLY);
    expect(ledger.wantedPast).toBeUndefined();
    expect(done(ledger)).toEqual(["forward"]);
  });
});

describe("a commit that is copied", () => {
  /** Session 2 copies a transaction to 110, and its `tpc_finish` is on its way; session 1 has been granted its vote. */
  function copying(): { ledger: StorageLedger<string>; number: number } {
    const ledger = watched();
    registers(ledger, 1, 100n);
    registers(ledger, 2, 100n);
    ledger.beginForwarded(2, 1, asTid(110n));
    ledger.storeForwarded(2, 1, "restored", "set", packed([5]), 0);
    ledger.voteGranted(2, NO_TID, REPLY);
    looks(ledger, 100n);
    const number = ledger.finishForwarded(2, 1);
    ledger.take();
    ledger.voteGranted(1, NO_TID, REPLY);
    expect(ledger.wantsLook).toBe(true);
    expect(done(ledger)).toEqual([]);
    return { ledger, number };
  }

  it("is read while it is on its way: its connection may break, and who is granted the next vote must hear of it first", () => {
    const { ledger } = copying();
    looks(ledger, 110n, 110n);
    expect(done(ledger)).toEqual([]);
    ledger.serverGone(2, false);
    expect(done(ledger)).toEqual(["close-client", "foreign", "announce"]);
    looks(ledger, 110n);
    expect(done(ledger)).toEqual(["forward"]);
    expect(ledger.state.sight.readUpTo).toBe(110n);
  });

  it("is its own where the reply comes", () => {
    const { ledger, number } = copying();
    looks(ledger, 110n, 110n);
    ledger.finishReply(2, number, asTid(110n), 0, REPLY);
    expect(done(ledger)).toEqual(["forward", "announce"]);
    expect(ledger.facts).toMatchObject({ commits: 1, foreign: 0 });
  });
});

describe("what a commit here says of those of others below it", () => {
  it("is nothing, where its vote could be held no longer: the next look reads from where all was known", () => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    votes(ledger);
    ledger.finishReply(1, ledger.finishForwarded(1, 1), asTid(103n), 0, REPLY);
    ledger.lookBegins();
    expect(ledger.lookNames(asTid(103n))).toEqual({ above: 100n, upTo: 103n });
  });

  it("is nothing, where the witness was away when they were told", () => {
    const ledger = watched("new");
    registers(ledger, 1, 100n);
    ledger.sightAway();
    // 101 was told meanwhile.
    ledger.sightUp(asTid(101n));
    ledger.finishReply(1, ledger.finishForwarded(1, 1), asTid(102n), 0, REPLY);
    ledger.sightTold({ tid: asTid(102n), oids: packed([]) });
    ledger.lookBegins();
    expect(ledger.lookNames(asTid(102n))).toEqual({ above: 100n, upTo: 102n });
  });

  it("is nothing, where they were told while the witness was away, and something was copied below them", () => {
    const ledger = watched("new");
    registers(ledger, 1, 100n);
    ledger.beginForwarded(1, 1, asTid(99n));
    ledger.storeForwarded(1, 1, "restored", "set", packed([7]), 0);
    ledger.voteGranted(1, asTid(0n), REPLY);
    ledger.sightAway();
    const copies = ledger.finishForwarded(1, 1);
    ledger.invalidation(1, { tid: asTid(104n), oids: packed([1]) }, 0, READ);
    ledger.finishReply(1, copies, asTid(99n), 0, REPLY);
    ledger.sightUp(asTid(99n));
    looks(ledger, 99n);
    registers(ledger, 2, 99n);
    ledger.finishReply(2, ledger.finishForwarded(2, 1), asTid(106n), 60_000, REPLY);
    ledger.sightTold({ tid: asTid(106n), oids: packed([]) });
    ledger.lookBegins();
    expect(ledger.lookNames(asTid(106n))).toEqual({ above: 100n, upTo: 106n });
  });

  it("is that there are none, where the witness was told of all since it is there", () => {
    const ledger = watched("new");
    registers(ledger, 1, 100n);
    ledger.finishReply(1, ledger.finishForwarded(1, 1), asTid(102n), 0, REPLY);
    ledger.sightTold({ tid: asTid(102n), oids: packed([]) });
    ledger.lookBegins();
    expect(ledger.lookNames(asTid(102n))).toBeUndefined();
  });
});

describe("a look that names what has named its tid itself", () => {
  it.each(["below what is known", "above it"])("covers no vote: %s", (where) => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    const copied = where === "above it" ? 101n : 99n;
    votes(ledger, asTid(copied));
    ledger.finishReply(1, ledger.finishForwarded(1, 1), asTid(copied), 0, REPLY);
    ledger.beginForwarded(1, 2);
    ledger.storeForwarded(1, 2, "created", "zero", packed([8]), 0);
    ledger.voteGranted(1, asTid(0n), { ...READ, order: ledger.stamp.order });
    looks(ledger, copied, ...(where === "above it" ? [copied] : []));
    ledger.finishReply(1, ledger.finishForwarded(1, 2), asTid(106n), 60_000, REPLY);
    // Somebody else's can lie between.
    ledger.lookBegins();
    expect(ledger.lookNames(asTid(106n))).toEqual({ above: copied > 100n ? copied : 100n, upTo: 106n });
  });
});

describe("what is found while a client verifies its cache", () => {
  it("is in the answer to its getInvalidations, or is told behind it: not both", () => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    // It is known from now on, and not read.
    ledger.invalidation(1, { tid: asTid(103n), oids: packed([1]) }, 0, READ);
    ledger.registerForwarded(2);
    ledger.registerReply(2, undefined, READ);
    ledger.lastTransactionReply(2, asTid(102n), ledger.stamp, READ);
    ledger.take();
    looks(ledger, 103n, 101n, 103n);
    ledger.invalidationsReply(2, asTid(100n), undefined, REPLY);
    ledger.tick(1_000, PATIENCE);
    const told = ledger.take().filter((one) => one.do === "resume" || (one.do === "announce" && one.session === 2));
    expect(told).toMatchObject([{ do: "resume", value: { tid: 103n, oids: packed([1, 101, 103]) } }]);
    expect(ledger.state.accounts.get(2)).toMatchObject({ due: [], outbox: [] });
  });

  it("is told in order before and behind it, all of it", () => {
    const ledger = watched();
    ledger.registerForwarded(2);
    ledger.registerReply(2, undefined, READ);
    ledger.lastTransactionReply(2, asTid(100n), ledger.stamp, READ);
    ledger.invalidation(2, { tid: asTid(103n), oids: packed([103]) }, 0, READ);
    ledger.invalidationsReply(2, asTid(100n), undefined, REPLY);
    ledger.invalidation(2, { tid: asTid(106n), oids: packed([106]) }, 0, READ);
    ledger.take();
    looks(ledger, 106n, 102n, 103n, 105n, 106n);
    const told = ledger.take().flatMap((one) => {
      if (one.do === "announce") return [one.announcement.tid];
      return one.do === "resume" ? [one.value?.tid ?? "none"] : one.do === "forward" ? ["forward"] : [];
    });
    expect(told).toEqual([102n, "forward", 103n, 105n, "forward"]);
    expect(ledger.state.accounts.get(2)).toMatchObject({ due: [], outbox: [], heldBytes: 0 });
  });
});

describe("another database", () => {
  it("is read from its own end on, whoever has seen first that it is another one", () => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    looks(ledger, 120n, 120n);
    ledger.take();
    ledger.sightAway();
    ledger.lastTransactionReply(1, asTid(80n), ledger.stamp, READ);
    expect(done(ledger)).toEqual(["ledger-ended", "database-changed"]);
    ledger.sightUp(asTid(80n));
    looks(ledger, 80n);
    registers(ledger, 2, 80n);
    ledger.invalidation(2, { tid: asTid(90n), oids: packed([1]) }, 0, READ);
    expect(done(ledger)).toEqual([]);
    looks(ledger, 90n, 90n);
    expect(done(ledger)).toEqual(["foreign", "announce"]);
  });
});

describe("a vote that could be held no longer, with something below it that is found when its client has left", () => {
  function left(): StorageLedger<string> {
    const ledger = watched();
    registers(ledger, 1, 100n);
    votes(ledger);
    expect(done(ledger)).toEqual(["forward"]);
    const number = ledger.finishForwarded(1, 1);
    ledger.finishReply(1, number, asTid(130n), 0, REPLY);
    expect(done(ledger)).toEqual(["forward"]);
    ledger.clientGone(1);
    expect(done(ledger)).toEqual(["close-server"]);
    return ledger;
  }

  it("is told under its own commit's tid, when that is the last transaction for whoever comes", () => {
    const ledger = left();
    looks(ledger, 130n, 120n, 130n);
    expect(done(ledger)).toEqual(["foreign"]);
    ledger.registerForwarded(2);
    ledger.registerReply(2, undefined, READ);
    ledger.lastTransactionReply(2, asTid(130n), ledger.stamp, READ);
    expect(done(ledger)).toEqual(["forward", "forward", "told-late", "announce"]);
  });

  it("so it is where that client has come before it is found", () => {
    const ledger = left();
    ledger.registerForwarded(2);
    ledger.registerReply(2, undefined, READ);
    ledger.lastTransactionReply(2, asTid(130n), ledger.stamp, READ);
    looks(ledger, 130n, 120n, 130n);
    expect(done(ledger)).toEqual(["forward", "foreign", "told-late", "forward", "announce"]);
  });

  it("is told to nobody whom a later one is named: it asks, and verifies", () => {
    const ledger = left();
    looks(ledger, 140n, 120n, 130n, 140n);
    ledger.take();
    ledger.registerForwarded(2);
    ledger.registerReply(2, undefined, READ);
    ledger.lastTransactionReply(2, asTid(140n), ledger.stamp, READ);
    ledger.invalidationsReply(2, asTid(130n), { tid: asTid(140n), oids: packed([]) }, REPLY);
    const values = ledger.take().map((action) => (action.do === "resume" ? action.value : action.do));
    expect(values).toEqual(["forward", "forward", undefined]);
  });
});

describe("what is made up behind a vote that could be held no longer, for somebody who leaves then", () => {
  it("is followed by what is found below it, when that is the last transaction for whoever comes", () => {
    const ledger = watched();
    registers(ledger, 1, 100n);
    registers(ledger, 2, 100n);
    votes(ledger);
    const number = ledger.finishForwarded(1, 1);
    ledger.finishReply(1, number, asTid(130n), 0, REPLY);
    expect(done(ledger)).toEqual(["forward", "ask", "forward"]);
    ledger.questionReply(2, asTid(130n));
    expect(done(ledger)).toEqual(["announce"]);
    ledger.clientGone(2);
    ledger.take();
    looks(ledger, 130n, 120n, 130n);
    ledger.take();
    ledger.registerForwarded(3);
    ledger.registerReply(3, undefined, READ);
    ledger.lastTransactionReply(3, asTid(130n), ledger.stamp, READ);
    expect(done(ledger)).toEqual(["forward", "forward", "told-late", "announce"]);
  });
});

describe("a look that is being read", () => {
  function waiting(): StorageLedger<string> {
    const ledger = watched("new");
    registers(ledger, 1, 100n);
    ledger.invalidation(1, { tid: asTid(120n), oids: packed([1]) }, 0, READ);
    ledger.lookBegins();
    return ledger;
  }

  it("is waited for beyond the time that anything else is", () => {
    const ledger = waiting();
    ledger.lookNames(asTid(120n));
    for (let now = 0; now < 100; now += 10) ledger.tick(now, { ...PATIENCE, goesOn: true });
    expect(done(ledger)).toEqual([]);
    ledger.lookFinds([{ tid: asTid(120n), oids: packed([1]) }], 0);
    expect(done(ledger)).toEqual(["foreign", "forward"]);
  });

  it("but not where nothing comes", () => {
    const ledger = waiting();
    ledger.lookNames(asTid(120n));
    ledger.tick(0, { ...PATIENCE, goesOn: true });
    ledger.tick(9, PATIENCE);
    expect(done(ledger)).toEqual([]);
    ledger.tick(10, PATIENCE);
    expect(done(ledger)).toEqual(["unread-commit"]);
  });
});

describe("a client whose server has forgotten it, and its lock, before anybody here knows", () => {
  /** Session 1 works, and was granted its vote; what somebody else committed behind that is found. */
  function granted(): StorageLedger<string> {
    const ledger = watched();
    registers(ledger, 1, 100n);
    ledger.workForwarded(1);
    ledger.beginForwarded(1, 1);
    ledger.voteGranted(1, asTid(0n), { ...READ, order: ledger.stamp.order });
    looks(ledger, 100n);
    expect(done(ledger)).toEqual(["forward"]);
    looks(ledger, 120n, 120n);
    expect(done(ledger)).toEqual(["foreign", "told-late"]);
    return ledger;
  }

  function asksFrom(ledger: StorageLedger<string>, tid: bigint): string[] {
    registers(ledger, 2, 120n);
    ledger.invalidationsReply(2, asTid(tid), { tid: asTid(120n), oids: packed([]) }, REPLY);
    return ledger
      .take()
      .flatMap((action) => (action.do === "resume" ? [action.value === undefined ? "None" : "all"] : []));
  }

  it("comes back from below what it was not told of: nobody need verify", () => {
    const ledger = granted();
    ledger.clientGone(1);
    expect(asksFrom(ledger, 100n)).toEqual(["all"]);
  });
});
