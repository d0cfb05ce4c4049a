import { describe, expect, it } from "vitest";
import { StorageLedger, type Read, type Reply } from "../../src/ledger/ledger.ts";
import { newState, type ServerFamily, type Stamp } from "../../src/ledger/state.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";
import { connected, packed, Script } from "./script.ts";

const READ: Read<string> = { payload: "read", bytes: 10 };
const REPLY: Reply<string> = { ...READ, order: 0 };
const STAMP: Stamp = { order: 0, proven: NO_TID };
const T = asTid(5n);

/** All that can be said of a session, a first `register` and a `tpc_finish` apart. */
const EVENTS: Readonly<Record<string, (ledger: StorageLedger<string>, session: number) => void>> = {
  begin: (ledger, session) => ledger.beginForwarded(session, 1),
  store: (ledger, session) => ledger.storeForwarded(session, 1, "created", "zero", packed([1]), 0),
  undo: (ledger, session) => ledger.undoForwarded(session, 1),
  abort: (ledger, session) => ledger.abortForwarded(session, 1),
  storesRefused: (ledger, session) => ledger.storesRefused(session, packed([1])),
  registerReply: (ledger, session) => ledger.registerReply(session, T, READ),
  lastTransactionReply: (ledger, session) => ledger.lastTransactionReply(session, T, STAMP, READ),
  questionReply: (ledger, session) => ledger.questionReply(session, T),
  invalidationsReply: (ledger, session) => ledger.invalidationsReply(session, T, { tid: T, oids: packed([1]) }, REPLY),
  reply: (ledger, session) => ledger.reply(session, { tid: T, exact: true }, REPLY),
  otherMessage: (ledger, session) => ledger.otherMessage(session, READ),
  workForwarded: (ledger, session) => ledger.workForwarded(session),
  largeBegun: (ledger, session) => ledger.largeBegun(session, 0),
  largeEnds: (ledger, session) => expect(ledger.largeEnds(session, T)).toBe(true),
  voteUnclear: (ledger, session) => ledger.voteUnclear(session, REPLY),
  voteGranted: (ledger, session) => ledger.voteGranted(session, T, REPLY),
  voteFailed: (ledger, session) => ledger.voteFailed(session, 1, true, T, REPLY),
  invalidation: (ledger, session) => ledger.invalidation(session, { tid: T, oids: packed([1]) }, 0, READ),
};
const ENDS: typeof EVENTS = {
  registerFailed: (ledger, session) => ledger.registerFailed(session, READ),
  clientGone: (ledger, session) => ledger.clientGone(session),
  serverGone: (ledger, session) => ledger.serverGone(session, true),
};

/** The state as text, to be compared. */
function said({ state }: StorageLedger<string>): string {
  return JSON.stringify(state, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}`;
    return value instanceof Map ? [...(value as Map<unknown, unknown>)] : value;
  });
}

describe.each<ServerFamily>(["old", "new"])("%s server:", (server) => {
  it.each(Object.keys({ ...EVENTS, ...ENDS }))("%s of a session that has left, or never came, does nothing", (name) => {
    const { ledger } = connected(server);
    const before = said(ledger);
    ({ ...EVENTS, ...ENDS })[name]?.(ledger, 9);
    expect(ledger.take()).toEqual([]);
    expect(said(ledger)).toBe(before);
  });

  it.each(Object.keys(EVENTS))("%s of a session whose client has gone tells it nothing", (name) => {
    const s = connected(server);
    s.finishing(1, { created: [1] });
    s.gone(1);
    EVENTS[name]?.(s.ledger, 1);
    expect(s.ledger.take()).toEqual([]);
    expect(s.finishReply(1, 1)).toContain("close server 1");
  });

  it.each(Object.keys(EVENTS))("%s of a session whose server has gone tells its client nothing", (name) => {
    const s = connected(server, [1, 2, 3]);
    s.finishing(1, { created: [1] });
    s.load(2);
    s.loadReply(2, 1);
    expect(s.serverGone(2)).toEqual([]);
    EVENTS[name]?.(s.ledger, 2);
    expect(s.ledger.take()).toEqual([]);
    expect(s.ledger.heldBytes(2)).toBe(10);
  });

  it("the reply to a tpc_finish of a session that has left settles nothing that is over", () => {
    const { ledger } = connected(server);
    ledger.finishReply(9, 9, T, 0, REPLY);
    ledger.finishFailed(9, 9, REPLY);
    expect(ledger.take()).toEqual([]);
    expect(ledger.settles).toBe(0);
  });

  it("a tpc_finish of a session that has left, and its reply, are a commit of nobody's", () => {
    const { ledger } = connected(server);
    const number = ledger.finishForwarded(9, 1);
    ledger.finishReply(9, number, undefined, 0, REPLY);
    expect(ledger.take()).toEqual([]);
    expect(ledger.state.finishing).toEqual([]);
  });

  it("the reply to a question that nobody asked says nothing", () => {
    const { ledger } = connected(server);
    ledger.questionReply(2, T);
    expect(ledger.take()).toEqual([]);
  });

  it("a server that goes before register is answered takes its client with it", () => {
    const s = new Script(server);
    s.register(1);
    expect(s.serverGone(1)).toEqual(["close client 1"]);
    expect(s.ledger.isKept(1)).toBe(false);
  });

  it("a client that goes twice is gone once, and its server's connection is read until its commit is over", () => {
    const s = connected(server);
    s.finishing(1, { created: [1] });
    expect(s.gone(1)).toEqual([]);
    expect(s.gone(1)).toEqual([]);
    expect(s.ledger.isKept(1)).toBe(true);
  });

  it("an orphan with two commits on their way is kept for the second", () => {
    const s = connected(server, [1]);
    const first = s.ledger.finishForwarded(1, 1);
    const second = s.ledger.finishForwarded(1, 2);
    s.gone(1);
    s.ledger.finishReply(1, first, undefined, 0, REPLY);
    expect(s.ledger.take()).toEqual([]);
    s.ledger.finishReply(1, second, undefined, 0, REPLY);
    expect(s.ledger.take()).toEqual([{ do: "close-server", session: 1 }]);
  });
});

describe("a register that failed", () => {
  it("lets go what was held and shows no invalidation", () => {
    const s = new Script("old");
    s.connected([1]);
    s.finishing(1, { modified: [1] });
    s.register(2);
    s.invalidation(2, 1, [1]);
    s.other(2, "info");
    expect(s.registerFailed(2)).toEqual(["2 < info", "2 < register failed"]);
  });
});

describe("proven", () => {
  it("starts anew with the first who registers after all have gone, and no earlier", () => {
    const ledger = new StorageLedger<string>(newState("new"));
    ledger.state.known = T;
    ledger.registerForwarded(1);
    expect(ledger.state.proven).toBe(T);
    ledger.state.known = asTid(9n);
    ledger.registerForwarded(2);
    expect(ledger.state.proven).toBe(T);
  });

  it("rises with a settled commit, and never falls", () => {
    const s = connected("old", [1, 2]);
    s.finishing(1, { modified: [1] });
    s.finishReply(1, 7);
    expect(s.ledger.state.proven).toBe(7n);
    s.finishing(1, {});
    s.finishReply(1, 3);
    expect(s.ledger.state.proven).toBe(7n);
  });

  it("does not fall with a commit below what the server has named as its last", () => {
    const s = connected("new", [1, 2], 5);
    s.finishing(1, { modified: [1] });
    s.finishReply(1, 3);
    s.lastTransaction(1);
    expect(s.lastTransactionReply(1, 4)).toContain("ledger ended: T4 below T5");
  });
});

describe("what is known", () => {
  it("never falls: a message of a lower tid, or a commit below, is no news", () => {
    const s = connected("old", [1, 2, 3]);
    s.invalidation(1, 5, [1]);
    s.invalidation(2, 3, [1]);
    expect(s.ledger.state.known).toBe(5n);
    const other = connected("new", [1, 2]);
    other.finishing(1, { modified: [1] });
    other.invalidation(2, 9, [2]);
    other.finishReply(1, 4);
    expect(other.ledger.state).toMatchObject({ known: 9n, proven: 4n });
  });

  it("of a client, by what it was shown, never falls: it goes on from the highest", () => {
    const s = connected("old", [1]);
    for (const tid of [7, 4]) {
      s.load(1);
      s.loadReply(1, tid);
    }
    s.getInvalidations(1);
    expect(s.getInvalidationsReply(1, 0, [5, []])).toEqual(["1 < getInvalidations(T0): T7 []"]);
  });

  it.each(["granted", "failed"])("new: of a client, by the reply to a vote that is %s", (how) => {
    const s = connected("new", [1]);
    s.begin(1, { created: [1] });
    s.vote(1);
    if (how === "granted") s.voteGranted(1, 7);
    else s.voteFailed(1, { shows: 7 });
    s.getInvalidations(1);
    expect(s.getInvalidationsReply(1, 0, [5, []])).toEqual(["1 < getInvalidations(T0): T7 []"]);
  });

  it("of a client is not raised by eight bytes that may be a tid", () => {
    const s = connected("old", [1]);
    s.load(1);
    s.loadReply(1, 7, false);
    s.getInvalidations(1);
    expect(s.getInvalidationsReply(1, 0, [5, []])).toEqual(["1 < getInvalidations(T0): T5 [] as it is"]);
  });
});

describe("transactions", () => {
  it("that are begun again count for no vote that was granted before", () => {
    const s = connected("new", [1]);
    s.begin(1, { created: [1] });
    s.vote(1);
    s.voteGranted(1);
    s.begin(1, { id: 2 });
    expect(s.ledger.hasVoted(1)).toBe(false);
    s.finish(1);
    expect(s.ledger.hasVoted(1)).toBe(false);
  });

  it("are a hundred at most: those that a failed vote has cleared make room, and one more is not begun", () => {
    const s = connected("new", [1]);
    const { ledger } = s;
    for (let id = 1; id <= 100; id++) ledger.beginForwarded(1, id);
    ledger.beginForwarded(1, 101);
    const ids = (): unknown[] => ledger.state.accounts.get(1)?.transactions.map((one) => one.id) ?? [];
    expect(ids()).toHaveLength(100);
    ledger.voteFailed(1, 7, true, NO_TID, REPLY);
    ledger.beginForwarded(1, 101);
    expect(ids()).toHaveLength(100);
    expect(ids()).toContain(101);
    expect(ids()).not.toContain(7);
  });

  it("that a failed vote has not cleared go on", () => {
    const s = connected("new", [1]);
    s.begin(1, { created: [1] });
    s.vote(1);
    s.voteFailed(1, { cleared: false });
    s.begin(1, { created: [2] });
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[1 2]");
  });
});

describe("the server says a tid twice that nobody here explains, while the first message waits", () => {
  const waiting = (): Script => {
    const s = connected("new", [1, 2]);
    s.finishing(1, { modified: [1] });
    expect(s.invalidation(2, 5, [3, 4])).toEqual([]);
    return s;
  };

  it("in the same words: it is swallowed", () => {
    const s = waiting();
    expect(s.invalidation(2, 5, [3, 4])).toEqual([]);
    expect(s.finishReply(1, undefined)).toEqual(["1 < finish None", "foreign T5", "2 < T5 [3 4] as it is"]);
  });

  it("in others: that is told behind it", () => {
    const s = waiting();
    s.load(2);
    expect(s.invalidation(2, 5, [3, 7])).toEqual(["late T5"]);
    expect(s.finishReply(1, undefined).slice(1)).toEqual(["foreign T5", "2 < T5 [3 4] as it is", "2 < T5 [7] late"]);
  });

  it("and then that of a lower tid: it goes before it", () => {
    const s = waiting();
    expect(s.invalidation(2, 4, [3])).toEqual([]);
    expect(s.finishReply(1, undefined)).toEqual([
      "1 < finish None",
      "foreign T4",
      "2 < T4 [3] as it is",
      "foreign T5",
      "2 < T5 [3 4] as it is",
    ]);
  });
});

describe("a session that leaves", () => {
  it("is owed nothing any more of what still waited for it, so that the history can forget it", () => {
    const s = connected("old", [1]);
    s.register(2);
    s.finishing(1, { modified: [1] });
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [1])).toEqual([]);
    expect(s.ledger.state.history[0]?.owed).toEqual(new Set([2]));
    s.gone(2);
    expect(s.ledger.state.history[0]?.owed).toBeUndefined();
  });

  it("at once, where its server has gone and what it would be shown hides an undo that nobody told", () => {
    const s = connected("old", [1, 2]);
    s.finishing(1, { undoes: true });
    s.load(2);
    expect(s.loadReply(2, 5)).toEqual([]);
    expect(s.serverGone(2)).toEqual([]);
    expect(s.finishReply(1, 3)).toEqual(["close client 2", "1 < finish T3"]);
    expect(s.ledger.isKept(2)).toBe(false);
    expect(s.ledger.state.history[0]?.owed).toBeUndefined();
  });
});

describe("a commit", () => {
  it("of a session that has left settles, and the others are told", () => {
    const s = connected("new", [1, 2]);
    const number = s.ledger.finishForwarded(9, 1);
    s.ledger.finishReply(9, number, T, 0, REPLY);
    expect(s.ledger.take()).toEqual([]);
    expect(s.ledger.settles).toBe(1);
    expect(s.ledger.state.history[0]?.owed).toEqual(new Set([1, 2]));
  });

  it("old: is not in the database where the reply shows what was known before, however much it stored", () => {
    for (const shown of [7, 10]) {
      const s = connected("old", [1, 2]);
      for (const session of [1, 2]) s.invalidation(session, 10, [1]);
      s.finishing(1, { modified: [4] });
      expect(s.finishReply(1, shown)).toEqual([`1 < finish T${shown}`]);
      expect(s.ledger.settles).toBe(0);
    }
  });

  it("new: is not owed to whom the register reply has shown its tid", () => {
    const s = connected("new", [1]);
    s.finishing(1, { modified: [4] });
    s.register(2);
    s.registerReply(2, 5);
    expect(s.finishReply(1, 5)).toEqual(["1 < finish T5"]);
    expect(s.ledger.isOwing).toBe(false);
  });

  it("that fails without a granted vote of its own was never begun: nobody is ended", () => {
    const s = connected("new", [1, 2]);
    const number = s.ledger.finishForwarded(9, 1);
    s.ledger.finishFailed(9, number, REPLY);
    expect(s.ledger.take()).toEqual([]);
    s.finishing(1, { modified: [4] });
    s.finish(1);
    s.finishReply(1, 5);
    s.begin(1, { modified: [4] });
    s.ledger.finishFailed(1, s.ledger.finishForwarded(1, 1), REPLY);
    expect(s.ledger.take()).not.toContainEqual(expect.objectContaining({ do: "end" }));
  });
});

describe("doubt", () => {
  it.each([
    [undefined, 6n],
    [3n, 6n],
    [5n, 6n],
    [6n, 6n],
    [9n, 9n],
  ])("moves a reach of %s above all that is known, and never back", (reach, expected) => {
    const ledger = new StorageLedger<string>(newState("new"));
    ledger.state.known = T;
    ledger.state.reach = reach === undefined ? undefined : asTid(reach);
    ledger.doubt();
    expect(ledger.state.reach).toBe(expected);
  });
});
