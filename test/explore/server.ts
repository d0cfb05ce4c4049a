import { EMPTY, isNew, sentParts, type Config } from "./config.ts";
import { invalidationArgs, message, MessageKind, tid, Vote, type Message } from "./message.ts";
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
      s.toProxy = [...s.toProxy, getInvalidations(c, w, m)];
      return;
    case MessageKind.vote:
      s.kind = m.a;
      s.transaction = m.number;
      s.stamp = m.stamp;
      if (w.lock !== NOBODY) s.waits = true;
      else grant(c, w, slot, failure);
      return;
    case MessageKind.abort:
      release(c, w, slot);
      return;
    case MessageKind.finish:
      finish(c, w, slot, m, failure, NOBODY);
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
  for (let t = m.a + 1; t <= upTo; t++) {
    const parts = sentParts(c, w.kinds[t] ?? 0);
    if (parts !== undefined) oids.push(argsOf(w, t, parts).oids);
  }
  const args = { tid: tid(upTo), oids: Buffer.concat(oids) };
  return { ...m, kind: MessageKind.invalidations, a: upTo, b: m.a, args };
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

/** `tpc_finish`; `skipped` is a slot that is not told. */
export function finish(c: Config, w: World, slot: number, m: Message, failure: number, skipped: number): void {
  const s = conn(w, slot);
  const answer = (a: number, nothing: boolean): void => {
    s.toProxy = [...s.toProxy, { ...m, kind: MessageKind.finishReply, a, b: nothing ? 1 : 0 }];
    release(c, w, slot);
  };
  if (w.lock !== slot || failure !== Failure.none) {
    answer(0, true);
    return;
  }
  const changesNothing = s.kind === EMPTY && !isNew(c);
  if (changesNothing && !c.emptyTid) {
    answer(w.last, true);
    return;
  }
  const t = ++w.last;
  w.kinds = [...w.kinds, s.kind];
  w.transactions = [...w.transactions, s.transaction];
  const parts = sentParts(c, s.kind);
  if (s.foreign) {
    w.blind |= 1 << t;
    if (parts !== undefined && !isNew(c)) w.must |= 1 << t;
  } else if (!changesNothing) {
    w.must |= 1 << t;
  }
  if (parts !== undefined) {
    w.queued = t;
    tell(c, w, slot, t, parts, skipped);
  }
  answer(t, changesNothing);
  if (parts !== undefined && c.fanOut === "late") s.toProxy = [...s.toProxy, ownInvalidation(w, t, parts)];
}

function tell(c: Config, w: World, slot: number, t: number, parts: number, skipped: number): void {
  const invalidation = ownInvalidation(w, t, parts);
  let mask = 0;
  for (let j = 0; j < w.conns.length; j++) {
    const other = w.conns[j];
    if (other === undefined || other.registered === 0 || other.gone || j === skipped) continue;
    if (j === slot && (c.fanOut !== "early" || other.foreign)) continue;
    if (isNew(c)) mask |= 1 << j;
    else other.toProxy = [...other.toProxy, invalidation];
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
  } else if (w.lock === NOBODY && w.conns[m.a]?.waits === true) {
    grant(c, w, m.a, Failure.none);
  }
  for (const s of w.conns) if (s !== undefined) s.early = 0;
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
  }
  w.later = [...w.later, m];
}
