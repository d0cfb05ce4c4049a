import { owesAnybody } from "../../src/ledger/owed.ts";
import type { Sight } from "../../src/ledger/sight.ts";
import type { Account, Due, Item, Settled, StorageState } from "../../src/ledger/state.ts";
import type { Transaction } from "../../src/ledger/transaction.ts";
import type { Client, Conn, World } from "./world.ts";

/*
 * Copies of what is changed in place; the rest is shared. Most of the explorer's time goes here, so every field is
 * written out: that is many times faster than a spread.
 *
 * A `Settled` is referred to from the history, from what is due and from made-up messages, so it is copied once and the
 * references follow.
 */

/** A copy. Without `withLedger` both share the ledger: for an event that does not touch it. */
export function cloneWorld(w: World, withLedger: boolean): World {
  const conns: (Conn | undefined)[] = [];
  for (const conn of w.conns) conns.push(conn === undefined ? undefined : cloneConn(conn));
  const clients: Client[] = [];
  for (const client of w.clients) clients.push(cloneClient(client));
  return {
    conns,
    clients,
    ledger: withLedger ? cloneStorage(w.ledger) : w.ledger,
    nextSession: w.nextSession,
    lock: w.lock,
    last: w.last,
    kinds: w.kinds,
    transactions: w.transactions,
    queued: w.queued,
    later: w.later,
    begun: w.begun,
    disconnects: w.disconnects,
    cuts: w.cuts,
    hangups: w.hangups,
    skips: w.skips,
    refusals: w.refusals,
    top: w.top,
    order: w.order,
    rare: w.rare,
    watch: w.watch,
    must: w.must,
    rest: w.rest,
    blind: w.blind,
  };
}

function cloneConn(s: Conn): Conn {
  return {
    number: s.number,
    client: s.client,
    foreign: s.foreign,
    alive: s.alive,
    finishSent: s.finishSent,
    toClient: s.toClient,
    dead: s.dead,
    closed: s.closed,
    closing: s.closing,
    toServer: s.toServer,
    toProxy: s.toProxy,
    registered: s.registered,
    waits: s.waits,
    kind: s.kind,
    transaction: s.transaction,
    explicit: s.explicit,
    behind: s.behind,
    late: s.late,
    halfClosed: s.halfClosed,
    endPassed: s.endPassed,
    stamp: s.stamp,
    gone: s.gone,
    cut: s.cut,
    early: s.early,
  };
}

function cloneClient(k: Client): Client {
  return {
    phase: k.phase,
    slot: k.slot,
    last: k.last,
    fresh: k.fresh,
    shown: k.shown,
    announced: k.announced,
    since: k.since,
    stale: k.stale,
    ahead: k.ahead,
    stalled: k.stalled,
    queue: k.queue,
    transaction: k.transaction,
    kind: k.kind,
    number: k.number,
    reads: k.reads,
    polls: k.polls,
    connects: k.connects,
    aborts: k.aborts,
    ended: k.ended,
  };
}

/** A copy that shares nothing that the ledger changes, but for the builders of a transaction: see `unshare`. */
function cloneStorage<P>(state: StorageState<P>): StorageState<P> {
  const history: Settled[] = [];
  for (const settled of state.history) history.push(cloneSettled(settled));
  const moved = (settled: Settled): Settled => {
    const at = state.history.indexOf(settled);
    if (at < 0) throw new Error("a settled commit that is not in the history is still referred to");
    return history[at] as Settled;
  };
  const accounts = new Map<number, Account<P>>();
  for (const [number, account] of state.accounts) accounts.set(number, cloneAccount(account, moved));
  return {
    server: state.server,
    rules: state.rules,
    known: state.known,
    proven: state.proven,
    reach: state.reach,
    finishing: state.finishing.length === 0 ? [] : state.finishing.map((commit) => ({ ...commit })),
    lastFinish: state.lastFinish,
    settles: state.settles,
    history,
    historyBytes: state.historyBytes,
    heard: state.heard.size === 0 ? new Map() : new Map(state.heard),
    limbo: state.limbo.length === 0 ? [] : state.limbo.map((limbo) => ({ ...limbo })),
    doubts: state.doubts,
    explained: state.explained,
    copiedTids: state.copiedTids.size === 0 ? new Set() : new Set(state.copiedTids),
    namedTids: state.namedTids.size === 0 ? new Set() : new Set(state.namedTids),
    lastNamed: state.lastNamed,
    copied: state.copied,
    copies: state.copies,
    copiedBelow: state.copiedBelow,
    copyingEndedAt: state.copyingEndedAt,
    foreign: state.foreign,
    foreignCount: state.foreignCount,
    patched: state.patched,
    sight: cloneSight(state.sight),
    doubted: state.doubted,
    accounts,
    // As sharp as it can be: what comes to be from here on must show.
    mayOwe: owesAnybody(state),
  };
}

function cloneSight(sight: Sight): Sight {
  return {
    life: sight.life,
    readUpTo: sight.readUpTo,
    offAt: sight.offAt,
    leftAt: sight.leftAt,
    missed: sight.missed,
    begun: sight.begun,
    over: sight.over,
    wanted: sight.wanted,
    sure: sight.sure,
    isWantedAgain: sight.isWantedAgain,
    look: sight.look === undefined ? undefined : { ...sight.look },
    told: sight.told.length === 0 ? [] : [...sight.told],
    toldAbove: sight.toldAbove,
    foreign: sight.foreign,
    back: sight.back,
    reading: sight.reading,
  };
}

function cloneSettled(settled: Settled): Settled {
  return {
    tid: settled.tid,
    order: settled.order,
    session: settled.session,
    changes: settled.changes,
    oids: settled.oids,
    complete: settled.complete,
    owed: settled.owed === undefined ? undefined : new Set(settled.owed),
    completed: settled.completed,
    synthesized: settled.synthesized,
    added: settled.added,
    lastOwn: settled.lastOwn,
    madeUp: settled.madeUp,
  };
}

function cloneAccount<P>(account: Account<P>, moved: (settled: Settled) => Settled): Account<P> {
  const due: Due[] = [];
  for (const one of account.due) due.push({ settled: moved(one.settled), since: one.since });
  const outbox: Item<P>[] = [];
  for (const item of account.outbox) {
    outbox.push(item.settled === undefined ? item : { ...item, settled: moved(item.settled) });
  }
  const transactions: Transaction[] = [];
  for (const transaction of account.transactions) transactions.push(cloneTransaction(transaction));
  return {
    number: account.number,
    phase: account.phase,
    registered: account.registered,
    doubts: account.doubts,
    floor: account.floor,
    transactions,
    due,
    outbox,
    heldBytes: account.heldBytes,
    top: account.top,
    verified: account.verified,
    announced: account.announced,
    committed: account.committed,
    ownTold: account.ownTold,
    shown: account.shown,
    seen: account.seen,
    isWorking: account.isWorking,
    stands: account.stands,
    late: account.late,
    voted: account.voted,
    granted: account.granted,
    answered: account.answered,
    isCovered: account.isCovered,
    awaited: account.awaited,
    past: account.past,
    isUnread: account.isUnread,
    unreadUpTo: account.unreadUpTo,
    question: account.question,
  };
}

function cloneTransaction(transaction: Transaction): Transaction {
  return {
    id: transaction.id,
    explicitTid: transaction.explicitTid,
    created: transaction.created,
    modified: transaction.modified,
    restored: transaction.restored,
    deleted: transaction.deleted,
    refused: transaction.refused,
    modifies: transaction.modifies,
    undoes: transaction.undoes,
    over: transaction.over,
  };
}

/** Copies what an oid is about to be appended to. */
export function unshare<P>(account: Account<P> | undefined): void {
  if (account === undefined) return;
  account.transactions = account.transactions.map((transaction) => ({
    ...transaction,
    created: copyBuilder(transaction.created),
    modified: copyBuilder(transaction.modified),
    restored: copyBuilder(transaction.restored),
    deleted: copyBuilder(transaction.deleted),
    refused: copyBuilder(transaction.refused),
  }));
}

function copyBuilder(builder: Transaction["created"]): Transaction["created"] {
  return { bytes: Buffer.from(builder.bytes), length: builder.length };
}
