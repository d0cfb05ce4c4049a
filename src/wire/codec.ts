import type { Tid } from "./ids.ts";
import type { MessageId } from "./message-id.ts";
import type { Method } from "./methods.ts";
import type { Skim, StoreSkim } from "./skim.ts";
import type { Value } from "./value.ts";
import type { ShownWork, Work } from "./work.ts";

export type { MessageId } from "./message-id.ts";

/** What stands at the beginning of every message. */
export interface Envelope {
  readonly id: MessageId;
  /** 0 call or reply, 1 one-way, 2 on a reply: an exception (ZEO >= 5). False and True read as 0 and 1. */
  readonly flags: number;
  /** As text, whether it travelled as bytes or as unicode. */
  readonly method: string;
  /** Offset in the payload of the first byte of `args`. */
  readonly argsAt: number;
}

/** The beginning of a call that the table has as a store, a restore or a delete (`methods.ts`). */
export interface StoreHead {
  /** Offset in the payload of the eight bytes of the oid. */
  readonly oidAt: number;
  /** `zero`: eight zero bytes; `none`: None; `set`: any other serial. */
  readonly serial: "zero" | "none" | "set";
  /**
   * Offset in the payload right behind the third argument's data, or behind the serial where a call has no data (a
   * delete). May lie beyond the bytes that were given.
   */
  readonly restAt: number;
}

/** The arguments of a call, walked over. A value is made of one when it is asked for. */
export interface Arguments {
  /** How many there are, or so many as are needed; -1 where something else stands in their place. */
  readonly count: number;
  /** Undefined for one that is not there, and for one above `MAX_ARGUMENT_BYTES`. Raises `ProtocolError`. */
  at(index: number): Value | undefined;
}

/** A server's `invalidateTransaction`. */
export interface InvalidationArgs {
  readonly tid: Tid;
  /** Packed oids, as many and in the order as sent (an oid may stand there twice). A view or a copy. */
  readonly oids: Buffer;
}

/** The newest tid that a reply shows. */
export interface Shown {
  /** `NO_TID` where the reply shows none. */
  readonly tid: Tid;
  /**
   * True: read from the place where this method's reply has its tids, so it proves that the server knew `tid` when
   * it computed the reply. False: only eight bytes that could be a tid.
   */
  readonly exact: boolean;
}

/** How the oids of an invalidation are written: Z308 and older write pairs `(oid, '')`. */
export type OidShape = "plain" | "pairs";

/** Who writes and therefore how: see `docs/protocol.md`, Dialects. */
export type Dialect =
  /** No header, protocol 1: ZODB3; ZEO 4 on Python 2. */
  | "pickle1"
  /** The same as ZEO 5.0 - 5.1 on Python 2 writes it: a one-way message has the flag True instead of 1. */
  | "pickle1-zeo5"
  /** Protocol 3 header, but names `U`, bytes `U`/`T`, text big integers: ZEO 5.2+ on Python 2. */
  | "pickle3-py2"
  /** Protocol 3, names `X`, bytes `C`/`B`: ZEO 4 on Python 3; flags and one-way marks as that server writes them. */
  | "pickle3-zeo4"
  /** The same as ZEO 5 and 6 on Python 3 write it. */
  | "pickle3"
  /** msgpack, names as str: M5 on Python 3. */
  | "msgpack"
  /** msgpack, names (and dict keys) as bin: M5 on Python 2. */
  | "msgpack-py2";

/**
 * Bytes to messages and back, for one encoding. Everything here reads a whole payload (without the length prefix)
 * unless it says otherwise, copies no data, executes nothing, and raises only `ProtocolError`.
 */
export interface Codec {
  readonly encoding: "pickle" | "msgpack";

  /** From a payload's first bytes; undefined when more are needed. At most `MAX_HEAD` bytes are ever needed. */
  peek(head: Buffer): Envelope | undefined;

  /**
   * What `peek` tells of the payload from `at` to `end`, for the shapes of nearly all messages, with offsets in `bytes`.
   * False for any other one. Makes and throws nothing.
   */
  skim(bytes: Buffer, at: number, end: number, into: Skim): boolean;
  /**
   * The same of what `storeHead` tells of a store with data, whose arguments begin at `argsAt` and whose payload ends at `end`.
   */
  skimStore(bytes: Buffer, argsAt: number, end: number, into: StoreSkim): boolean;

  /**
   * From a payload's first bytes; undefined when more are needed. The data itself is never looked at. `method` is what
   * the envelope names: a store, a restore or a delete.
   */
  storeHead(head: Buffer, envelope: Envelope, method: Method): StoreHead | undefined;
  /**
   * The transaction id, the last argument of a store: `tail` is the payload's end, from `StoreHead.restAt` on (the
   * rest may be a version or a file name before it).
   */
  storeTail(tail: Buffer): MessageId;
  /**
   * The first eight arguments of a call. `need`: so many are looked at; where it can be told, nothing behind them is.
   * Raises `ProtocolError` for what can't be walked over.
   */
  arguments(payload: Buffer, envelope: Envelope, need: number, work: Work): Arguments;

  invalidation(payload: Buffer, envelope: Envelope): InvalidationArgs;
  /** A `getInvalidations` reply: None, or tid and oids. */
  invalidationsReply(payload: Buffer, envelope: Envelope): InvalidationArgs | undefined;
  /** What the reply to a call of `method` shows; `method` is undefined when nobody knows which. Raises nothing. */
  shown(payload: Buffer, envelope: Envelope, method: Method | undefined, work?: ShownWork): Shown;
  /** The value is an exception: flags 2 of a new server, or an old server's pair of class and instance. Raises nothing. */
  isException(payload: Buffer, envelope: Envelope): boolean;
  /** The value is a list of nothing but byte strings or pairs of them. Cheap for a million. False also where unclear. */
  isPlainList(payload: Buffer, envelope: Envelope): boolean;
  /** The arguments (of a reply: its value), decoded. */
  args(payload: Buffer, envelope: Envelope, work?: Work): Value;

  /** How the writer of this payload writes; undefined when the payload does not tell. `oldServer`: ZEO <= 4. */
  dialect(payload: Buffer, oldServer: boolean): Dialect | undefined;

  /** A whole `invalidateTransaction` payload. */
  encodeInvalidation(dialect: Dialect, shape: OidShape, tid: Tid, oids: Buffer): Buffer;
  /**
   * The same reply with another value: None, or tid and oids. The bytes of `payload` around the value (id, flags,
   * method, closing) stay as they are.
   */
  encodeInvalidationsReply(
    payload: Buffer,
    envelope: Envelope,
    dialect: Dialect,
    shape: OidShape,
    value: InvalidationArgs | undefined,
  ): Buffer;
  /** Any message. `args` of a call is a `PyTuple`. */
  encode(dialect: Dialect, id: Value, flags: number, method: string, args: Value): Buffer;
}

/** So many bytes at the beginning of a payload always suffice for `peek` and `storeHead`. */
export const MAX_HEAD = 1024;
