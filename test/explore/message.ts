import type { Stamp } from "../../src/ledger/state.ts";
import type { InvalidationArgs } from "../../src/wire/codec.ts";
import { asTid, ID_BYTES, type Tid } from "../../src/wire/ids.ts";

/** A tid of a world: 0 is the empty database, the n-th commit has n. */
export type SmallTid = number;

const TIDS: readonly Tid[] = Array.from({ length: 64 }, (_, n) => asTid(BigInt(n)));

export function tid(n: SmallTid): Tid {
  return TIDS[n] ?? asTid(BigInt(n));
}

export type MessageKind = (typeof MessageKind)[keyof typeof MessageKind];

/** Numbers, because they go into the canonical form of a state. */
export const MessageKind = {
  // client to server
  /** `register` */
  register: 1,
  /** A read; `b` says which. */
  read: 2,
  /** `getInvalidations(a)` */
  getInvalidations: 3,
  /** `tpc_begin`, the stores and `vote` of a transaction of kind `a`. */
  vote: 4,
  abort: 6,
  finish: 7,
  /** The proxy has closed the connection. */
  end: 8,
  // server to client
  /** `a`: the last tid (new), 0 (old: None). */
  registerReply: 9,
  registerError: 10,
  /** Computed when the last tid was `a`; `b` says of which read. */
  readReply: 11,
  /** The server's answer to `getInvalidations(b)` is `args`, up to `a`. */
  invalidations: 12,
  /** `a`: see `Vote`; `b`: the tid that its conflicts show. */
  voteReply: 13,
  /** `a`: the tid; `b`: see `Finish`; `mask`: 1 when it shows what became of a commit in limbo. */
  finishReply: 14,
  /** `invalidateTransaction(a, ...)` */
  invalidation: 15,
  /** `serialnos` with a conflict that shows `a`. */
  serialnos: 16,
  /** The server's connection has ended. */
  broken: 17,
  // to the client, written by the proxy
  /** `getInvalidations(b)` answered up to `a`; `number`: see `Resumed`. */
  resumed: 18,
  /** What came late, under the tid `a`; `mask`: the tids whose oids it names. */
  again: 22,
  // in the server's own queue
  /** Try to give the lock to connection `a`. */
  lock: 19,
  // client to server
  /** The client has closed its half. */
  halfClose: 20,
  /** A second `vote` of a transaction. */
  voteAgain: 21,
} as const;

/** Reads. */
export const LAST_TRANSACTION = 0;
/** A load of an object that has not changed: its reply proves nothing. */
export const LOAD = 1;
/** The proxy's own question. */
export const QUESTION = 2;

/** How a vote ended. */
export const Vote = {
  /** Old: None after `serialnos` that refused a store. The client aborts. */
  refused: 0,
  granted: 1,
  /** An exception: the lock is free, the transaction is gone. */
  exception: 2,
  /** New: conflicts; the lock is free, the client resolves them and votes again. */
  conflicts: 3,
  /** An exception that changes nothing: it votes already. */
  already: 4,
} as const;

/** What a reply to `tpc_finish` says. */
export const Finish = {
  committed: 0,
  /** Nothing was committed. */
  nothing: 1,
  /** An exception, though it was. */
  thrown: 2,
} as const;

export const Resumed = { incomplete: 0, complete: 1, none: 2 } as const;

/** A message on one of the queues. Immutable, and shared by all states. */
export interface Message {
  readonly kind: MessageKind;
  readonly a: number;
  readonly b: number;
  /** A call and its reply: the ledger's stamp of when the call was forwarded. */
  readonly stamp: Stamp;
  /** A `tpc_finish` and its reply: the number of the finishing commit. A vote: the number of the transaction. */
  readonly number: number;
  readonly args: InvalidationArgs | undefined;
  /**
   * To a client: the parts of its tid that an invalidation names; the tids that a `getInvalidations` reply names. In the
   * server's queue: the connections to be told.
   */
  readonly mask: number;
  /** An invalidation that the proxy has made up. */
  readonly madeUp: boolean;
}

const PLAIN: Omit<Message, "kind"> = {
  a: 0,
  b: 0,
  stamp: { order: 0, proven: tid(0) },
  number: 0,
  args: undefined,
  mask: 0,
  madeUp: false,
};

export function message(kind: MessageKind, rest: Partial<Omit<Message, "kind">> = {}): Message {
  return {
    kind,
    a: rest.a ?? PLAIN.a,
    b: rest.b ?? PLAIN.b,
    stamp: rest.stamp ?? PLAIN.stamp,
    number: rest.number ?? PLAIN.number,
    args: rest.args,
    mask: rest.mask ?? PLAIN.mask,
    madeUp: rest.madeUp ?? PLAIN.madeUp,
  };
}

// --- oids: the sixth byte is the number of the transaction, the seventh one part -------------------------------------

const lists = new Map<number, Buffer>();

/** The packed oids of these parts of a transaction. One buffer for each, so that the ledger may compare by identity. */
export function oidsOf(transaction: number, parts: number): Buffer {
  const key = transaction * 16 + parts;
  const known = lists.get(key);
  if (known !== undefined) return known;
  const oids: Buffer[] = [];
  for (let part = 1; part <= parts; part *= 2) {
    if ((parts & part) !== 0) oids.push(Buffer.from([0, 0, 0, 0, 0, 0, transaction, part]));
  }
  const list = Buffer.concat(oids);
  lists.set(key, list);
  return list;
}

/** Which parts of the transaction stand in the list. */
export function partsIn(oids: Buffer, transaction: number): number {
  let parts = 0;
  for (let at = 0; at < oids.length; at += ID_BYTES) {
    if (oids[at + 6] === transaction) parts |= oids[at + 7] ?? 0;
  }
  return parts;
}

/** Does the list name an oid of another transaction? */
export function namesOthers(oids: Buffer, transaction: number): boolean {
  for (let at = 0; at < oids.length; at += ID_BYTES) {
    if (oids[at + 6] !== transaction) return true;
  }
  return false;
}

const invalidations = new Map<number, InvalidationArgs>();

/** The arguments of the server's own invalidation, the same for all who get it. */
export function invalidationArgs(n: SmallTid, transaction: number, parts: number): InvalidationArgs {
  const key = (n * 64 + transaction) * 16 + parts;
  const known = invalidations.get(key);
  if (known !== undefined) return known;
  const args = { tid: tid(n), oids: oidsOf(transaction, parts) };
  invalidations.set(key, args);
  return args;
}
