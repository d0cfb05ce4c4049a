import { EMPTY, fullParts, isNew, sentParts, type Config } from "./config.ts";
import { Finish, invalidationArgs, message, MessageKind, tid, Vote, type Message, type SmallTid } from "./message.ts";
import { breakOff, isBroken, WITNESS_SLOT } from "./watch.ts";
import { NOBODY, READABLE, type Conn, type World } from "./world.ts";

/** How the server's step goes wrong. */
export const Failure = {
  none: 0,
  /** Old: a store was refused; the vote replies None and keeps the lock. */
  refused: 1,
  /** An exception; the lock is free. */
  exception: 2,
  /** New: conflicts; the lock is free. */
  conflicts: 3,
  /** A finish: an exception, behind all that is told of the commit. */
  thrown: 4,
  /** ... and nothing is told of it. */
  thrownUntold: 5,
} as const;

export function conn(w: World, slot: number): Conn {
  const found = w.conns[slot];
  if (found === undefined) throw new Error(`no connection in slot ${slot}`);
  return found;
}

/** The first request of a connection. With it the loop has read all that has arrived on it by now. */
export function takeRequest(s: Conn): Message {
  const [m] = s.toServer as [Message];
  s.toServer = s.toServer.slice(1);
  if (s.early === READABLE) s.early = s.toServer.length;
  else if (s.early > 0) s.early--;
  return m;
}

/** One message from a connection is worked on. */
export function serverStep(c: Config, w: World, slot: number, failure: number): void {
  const s = conn(w, slot);
  const m = takeRequest(s);
  switch (m.kind) {
    case MessageKind.register:
      if (failure !== Failure.none) {
        s.toProxy = [...s.toProxy, message(MessageKind.registerError)];
      } else if (isNew(c)) {
        s.registered = 2;
        s.toProxy = [...s.toProxy, message(MessageKind.registerReply, { a: w.last, stamp: m.stamp })];
      } else {
        s.registered = 1;
      }
      return;
    case MessageKind.read:
      s.toProxy = [...s.toProxy, { ...m, kind: MessageKind.readReply, a: w.last }];
      return;
    case MessageKind.getInvalidations:
      s.toProxy = [...s.toProxy, failure === Failure.none ? getInvalidations(c, w, m) : forgotten(m)];
      return;
    case MessageKind.vote:
      s.kind = m.a;
      s.transaction = m.number;
      s.explicit = m.b;
      if (c.limboEnds) s.behind = w.rare.limbos !== 0 && w.conns.every((other) => other?.cut !== true || other.gone);
      s.stamp = m.stamp;
      if (w.lock !== NOBODY) s.waits = true;
      else grant(c, w, slot, failure);
      return;
    case MessageKind.abort:
      release(c, w, slot);
      return;
    case MessageKind.finish:
      finish(c, w, slot, m, failure);
      return;
    case MessageKind.voteAgain:
      s.toProxy = [...s.toProxy, message(MessageKind.voteReply, { a: Vote.already, stamp: m.stamp })];
      return;
    case MessageKind.halfClose:
      closeConnection(c, w, slot);
      return;
    case MessageKind.end:
      hangUp(c, w, slot);
      s.toProxy = [];
      return;
    default:
      throw new Error(`the server got a message of kind ${m.kind}`);
  }
}

/** The server's side of a connection is gone. */
export function hangUp(c: Config, w: World, slot: number): void {
  const s = conn(w, slot);
  s.gone = true;
  s.registered = 0;
  s.late = [];
  release(c, w, slot);
}

/** Old servers: another thread writes the reply some time after the connection was put on the list. */
export function registerReply(w: World, slot: number): void {
  const s = conn(w, slot);
  s.registered = 2;
  s.toProxy = [...s.toProxy, message(MessageKind.registerReply)];
}

function getInvalidations(c: Config, w: World, m: Message): Message {
  const upTo = isNew(c) ? w.last : w.queued;
  const oids: Buffer[] = [];
  // It looks at its queue from the newest one on, down to the first that is not newer than the one asked for.
  for (const t of w.order.toReversed()) {
    const parts = sentParts(c, w.kinds[t] ?? 0);
    if (parts === undefined || (w.rare.untold & (1 << t)) !== 0) continue;
    if (t <= m.a) break;
    oids.push(argsOf(w, t, parts).oids);
  }
  const args = { tid: tid(upTo), oids: Buffer.concat(oids) };
  return { ...m, kind: MessageKind.invalidations, a: upTo, b: m.a, args };
}

function forgotten(m: Message): Message {
  return { ...m, kind: MessageKind.invalidations, a: 0, b: m.a };
}

function argsOf(w: World, t: number, parts: number): { tid: ReturnType<typeof tid>; oids: Buffer } {
  return invalidationArgs(t, w.transactions[t] ?? 0, parts);
}

/** The lock is free: the vote ends. */
export function grant(c: Config, w: World, slot: number, failure: number): void {
  const s = conn(w, slot);
  s.waits = false;
  w.lock = slot;
  const { stamp } = s;
  switch (failure) {
    case Failure.refused:
      if (c.serialnos) {
        s.toProxy = [...s.toProxy, message(MessageKind.serialnos, { a: w.last, number: s.transaction, mask: s.kind })];
      }
      s.toProxy = [...s.toProxy, message(MessageKind.voteReply, { a: Vote.refused, stamp })];
      return;
    case Failure.exception:
    case Failure.conflicts: {
      const a = failure === Failure.conflicts ? Vote.conflicts : Vote.exception;
      s.toProxy = [...s.toProxy, message(MessageKind.voteReply, { a, b: w.last, stamp })];
      release(c, w, slot);
      return;
    }
    default:
      s.toProxy = [...s.toProxy, message(MessageKind.voteReply, { a: Vote.granted, stamp })];
  }
}

export function release(c: Config, w: World, slot: number): void {
  conn(w, slot).waits = false;
  if (w.lock !== slot) return;
  w.lock = NOBODY;
  if (!isNew(c)) return;
  for (let j = 0; j < w.conns.length; j++) {
    if (w.conns[j]?.waits === true) soon(w, slot, message(MessageKind.lock, { a: j }));
  }
}

/** Who is not told of a commit as all others are: nobody, if both are `NOBODY`. */
export interface Except {
  readonly skipped: number;
  /** Told later. */
  readonly delayed: number;
}

const EXCEPT_NOBODY: Except = { skipped: NOBODY, delayed: NOBODY };

/** `tpc_finish` */
export function finish(c: Config, w: World, slot: number, m: Message, failure: number, except = EXCEPT_NOBODY): void {
  const s = conn(w, slot);
  const answer = (a: number, b: number): void => {
    const mask = s.behind && b === Finish.committed ? 1 : 0;
    s.toProxy = [...s.toProxy, { ...m, kind: MessageKind.finishReply, a, b, mask }];
    release(c, w, slot);
  };
  const thrown = failure === Failure.thrown || failure === Failure.thrownUntold;
  if (w.lock !== slot || (failure !== Failure.none && !thrown)) {
    answer(0, Finish.nothing);
    return;
  }
  const changesNothing = s.kind === EMPTY && !isNew(c);
  if (changesNothing && !c.emptyTid) {
    answer(w.last, Finish.nothing);
    return;
  }
  const t = commit(c, w, s);
  const parts = sentParts(c, s.kind);
  if (!changesNothing) expectTold(c, w, s, t, parts, except.delayed !== NOBODY);
  if (failure === Failure.thrownUntold) w.rare = { ...w.rare, untold: w.rare.untold | (1 << t) };
  else if (parts !== undefined) {
    w.queued = t;
    tell(c, w, slot, t, parts, except);
  }
  if (thrown) answer(0, Finish.thrown);
  else answer(t, changesNothing ? Finish.nothing : Finish.committed);
  if (parts !== undefined && c.fanOut === "late") s.toProxy = [...s.toProxy, ownInvalidation(w, t, parts)];
}

/** It is in the database, at a tid of the server's choice or at the one that its `tpc_begin` has named. */
function commit(c: Config, w: World, s: Conn): SmallTid {
  // Between two tids there is room for one to be copied to.
  const next = c.copies === 0 ? w.top + 1 : w.top - (w.top % 2) + 2;
  const t = s.explicit === 0 ? next : s.explicit;
  w.last = t;
  w.top = Math.max(w.top, t);
  w.order = [...w.order, t];
  const at = (list: readonly number[], value: number, none: number): number[] =>
    Array.from({ length: w.top + 1 }, (_, n) => (n === t ? value : (list[n] ?? none)));
  w.kinds = at(w.kinds, s.kind, EMPTY);
  w.transactions = at(w.transactions, s.transaction, 0);
  return t;
}

/** Notes who is to hear of a commit, and by when: before anything shows it, or at last. */
function expectTold(c: Config, w: World, s: Conn, t: SmallTid, parts: number | undefined, delayed: boolean): void {
  const bit = 1 << t;
  if (s.foreign && (!c.witness || c.witnessOffs > 0)) {
    w.blind |= bit;
    if (parts === undefined) return;
  }
  w.rest |= bit;
  if (s.explicit === 0) {
    const unknown = s.cut && !c.witness && (isNew(c) || parts !== fullParts(s.kind));
    if (unknown) w.rare = { ...w.rare, open: w.rare.open | bit };
    else if (!delayed && !(s.foreign && mayBeShownFirst(c, parts))) w.must |= bit;
    return;
  }
  for (const [i, k] of w.clients.entries()) if (i !== s.client && !k.fresh && k.last >= t) k.stale |= bit;
}

/** Commits that nobody here has made: a new server shows them first, and where a look is not waited for a silent one is told late. */
function mayBeShownFirst(c: Config, parts: number | undefined): boolean {
  const isWatched = c.witness && c.witnessOffs === 0;
  return isNew(c) ? !isWatched : c.holds > 0 && parts === undefined;
}

function tell(c: Config, w: World, slot: number, t: number, parts: number, { skipped, delayed }: Except): void {
  const invalidation = ownInvalidation(w, t, parts);
  let mask = 0;
  for (let j = 0; j < w.conns.length; j++) {
    const other = w.conns[j];
    if (other === undefined || other.registered === 0 || other.gone || j === skipped) continue;
    if (j === slot && (c.fanOut !== "early" || other.foreign)) continue;
    if (j === delayed) other.late = [...other.late, invalidation];
    else if (isNew(c)) mask |= 1 << j;
    else other.toProxy = [...other.toProxy, invalidation];
  }
  if (w.watch.isUp && !isBroken(w.watch)) {
    if (isNew(c)) mask |= 1 << WITNESS_SLOT;
    else w.watch = { ...w.watch, toProxy: [...w.watch.toProxy, invalidation] };
  }
  if (mask !== 0) soon(w, slot, { ...invalidation, mask });
}

function ownInvalidation(w: World, t: number, parts: number): Message {
  return message(MessageKind.invalidation, { a: t, args: argsOf(w, t, parts) });
}

/** New: the loop runs what was queued first. */
export function laterStep(c: Config, w: World): void {
  const [m] = w.later as [Message];
  w.later = w.later.slice(1);
  if (m.kind === MessageKind.invalidation) {
    for (let j = 0; j < w.conns.length; j++) {
      const s = w.conns[j];
      if (s === undefined || (m.mask & (1 << j)) === 0 || s.gone || s.registered === 0) continue;
      s.toProxy = [...s.toProxy, { ...m, mask: 0 }];
    }
    if ((m.mask & (1 << WITNESS_SLOT)) !== 0 && w.watch.isUp && !isBroken(w.watch))
      w.watch = { ...w.watch, toProxy: [...w.watch.toProxy, { ...m, mask: 0 }] };
  } else if (w.lock === NOBODY && w.conns[m.a]?.waits === true) {
    grant(c, w, m.a, Failure.none);
  }
  for (const s of w.conns) if (s !== undefined) s.early = 0;
  if (w.watch.early !== 0) w.watch = { ...w.watch, early: 0 };
}

/**
 * Queues for the loop, while it works on a request of `slot`. It runs this before it looks again at who is readable; but
 * the connections that it found readable together with `slot` come first, each with all that arrives until its turn.
 */
function soon(w: World, slot: number, m: Message): void {
  if (w.later.length === 0) {
    for (const [i, s] of w.conns.entries()) {
      if (s === undefined) continue;
      s.early = i === slot || s.toServer.length === 0 ? s.toServer.length : READABLE;
    }
    if (w.watch.toServer.length > 0) w.watch = { ...w.watch, early: 1 };
  }
  w.later = [...w.later, m];
}

/** The first message that was late for a connection is written. */
export function lateStep(w: World, slot: number): void {
  const s = conn(w, slot);
  const [m] = s.late as [Message];
  s.late = s.late.slice(1);
  s.toProxy = [...s.toProxy, m];
}

/** The server starts again with a backup that lacks the newest commit. All connections end; what was written arrives. */
export function restore(c: Config, w: World): void {
  const gone = w.order[w.order.length - 1] ?? 0;
  const bit = 1 << gone;
  w.order = w.order.slice(0, -1);
  w.last = w.order[w.order.length - 1] ?? 0;
  w.queued = Math.min(w.queued, w.last);
  w.must &= ~bit;
  w.rest &= ~bit;
  w.blind &= ~bit;
  w.rare = { ...w.rare, lost: w.rare.lost | bit };
  // Who has seen it keeps what never was.
  for (const k of w.clients) k.stale = k.last >= gone ? k.stale | bit : k.stale & ~bit;
  for (const [slot, s] of w.conns.entries()) if (s !== undefined && !s.gone) closeConnection(c, w, slot);
  w.later = [];
  breakOff(w);
}

/** The server closes a connection; what it wrote before still arrives. */
export function closeConnection(c: Config, w: World, slot: number): void {
  const s = conn(w, slot);
  s.toServer = [];
  hangUp(c, w, slot);
  s.toProxy = [...s.toProxy, message(MessageKind.broken)];
}
