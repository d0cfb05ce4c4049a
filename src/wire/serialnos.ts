import { MAX_VALUE_STEPS } from "./bounds.ts";
import type { Envelope, Shown } from "./codec.ts";
import { ProtocolError } from "./errors.ts";
import { instance } from "./exceptions.ts";
import { ANY_TID, ID_BYTES, NO_TID } from "./ids.ts";
import { MARK_VALUE, readPickle } from "./pickle/reader.ts";
import * as op from "./pickle/opcodes.ts";
import { conflictSerial } from "./tids.ts";
import type { Value } from "./value.ts";
import { itemsOf, PyTuple } from "./value.ts";
import { Work } from "./work.ts";

/**
 * An old server's one-way `serialnos([(oid, serial), ...])`: one pair for each store, and where a store was refused the
 * exception instead of the serial (`_op_error` in ZEO/StorageServer.py up to 4.3.1). An undo that was refused stands
 * there with an oid of eight zeros.
 */
export interface Refused {
  /** The oids of the refused stores, packed. */
  readonly oids: Buffer;
  /** The committed serial that a conflict names. The serials of accepted stores are not committed yet. */
  readonly shown: Shown;
}

const NOTHING: Refused = { oids: Buffer.alloc(0), shown: { tid: NO_TID, exact: true } };

/**
 * Of a message that can't be read, or not with so much work as any real one takes. What was refused then counts as
 * stored: one oid too many is told. A conflict in it may name anything.
 */
const UNCLEAR: Refused = { oids: Buffer.alloc(0), shown: { tid: ANY_TID, exact: false } };

/**
 * What a `serialnos` message refuses. Cheap when that is nothing, even for a million stores. Pickle only: no server that
 * speaks msgpack sends one. Raises nothing.
 */
export function readRefused(payload: Buffer, envelope: Envelope): Refused {
  try {
    return refusedIn(payload, envelope, new Work("bad-pickle", MAX_VALUE_STEPS));
  } catch (error) {
    if (error instanceof ProtocolError) return UNCLEAR;
    throw error;
  }
}

function refusedIn(payload: Buffer, envelope: Envelope, work: Work): Refused {
  const scan = scanAccepted(payload, envelope.argsAt);
  if (scan === "all") return NOTHING;
  const list = scan === undefined ? listIn(readPickle(payload, 0, [], work)) : restOfList(payload, scan, work);
  const oids: Buffer[] = [];
  let shown = NO_TID;
  for (const item of list) {
    const [oid, serial] = itemsOf(item) ?? [];
    if (!Buffer.isBuffer(oid) || oid.length !== ID_BYTES || serial === undefined)
      throw unexpected(envelope, "an oid and a serial");
    if (Buffer.isBuffer(serial)) continue;
    if (instance(serial) === undefined) throw unexpected(envelope, "a serial or an exception");
    oids.push(oid);
    const conflict = conflictSerial(serial);
    if (conflict > shown) shown = conflict;
  }
  return { oids: Buffer.concat(oids), shown: { tid: shown, exact: true } };
}

function unexpected(envelope: Envelope, expected: string): ProtocolError {
  return new ProtocolError("bad-pickle", envelope.argsAt, expected, "another value");
}

/** Where the first pair begins that is not an accepted store's, and what surrounds it. */
interface Stopped {
  readonly at: number;
  /** The arguments have a mark of their own. */
  readonly marked: boolean;
  /** The pair stands in a batch, behind a mark. */
  readonly inBatch: boolean;
}

/** Walks over accepted stores as the servers write them. Undefined when the message is written in another way. */
function scanAccepted(payload: Buffer, argsAt: number): Stopped | "all" | undefined {
  let at = argsAt;
  const marked = payload[at] === op.MARK;
  if (marked) at += 1;
  if (payload[at] !== op.EMPTY_LIST) return undefined;
  at += 1;
  let inBatch = false;
  for (;;) {
    const code = payload[at];
    const next = pairEnd(payload, at);
    if (next > 0) {
      at = next;
      if (!inBatch) {
        if (payload[at] !== op.APPEND) return undefined;
        at += 1;
      }
    } else if (inBatch && code === op.APPENDS) {
      inBatch = false;
      at += 1;
    } else if (!inBatch && (code === op.TUPLE || code === op.TUPLE1)) {
      // Only the ends are left.
      return payload[at + 1] === op.TUPLE && payload[at + 2] === op.STOP && at + 3 === payload.length
        ? "all"
        : undefined;
    } else if (!inBatch && code === op.MARK && pairBegins(payload, at + 1)) {
      inBatch = true;
      at += 1;
    } else {
      return { at, marked, inBatch };
    }
  }
}

/** A pair stands there: the mark before it is a batch's. In protocol 1 a pair has a mark itself. */
function pairBegins(payload: Buffer, at: number): boolean {
  const code = payload[at];
  return code === op.MARK || (payload[at - 1] === op.MARK && code === op.SHORT_BINBYTES);
}

/** The offset behind `(oid, serial)` at `at`, both byte strings; 0 when something else stands there. */
function pairEnd(payload: Buffer, at: number): number {
  const marked = payload[at] === op.MARK;
  let i = marked ? at + 1 : at;
  const code = marked ? op.SHORT_BINSTRING : op.SHORT_BINBYTES;
  if (payload[i] !== code || payload[i + 1] !== ID_BYTES) return 0;
  i += 2 + ID_BYTES;
  if (payload[i] !== code) return 0;
  i += 2 + (payload[i + 1] ?? 0);
  return payload[i] === (marked ? op.TUPLE : op.TUPLE2) ? i + 1 : 0;
}

/** Decodes only what comes from the first refused store on: a server stops at it. */
function restOfList(payload: Buffer, { at, marked, inBatch }: Stopped, work: Work): readonly Value[] {
  const before: (Value | typeof MARK_VALUE)[] = [MARK_VALUE, null, null, null];
  if (marked) before.push(MARK_VALUE);
  before.push([]);
  if (inBatch) before.push(MARK_VALUE);
  return listIn(readPickle(payload, at, before, work));
}

function listIn(message: Value): readonly Value[] {
  const args = message instanceof PyTuple ? message.items[3] : undefined;
  const list = args instanceof PyTuple && args.items.length === 1 ? itemsOf(args.items[0] ?? null) : undefined;
  if (list === undefined) throw new ProtocolError("bad-pickle", 0, "a list of oids and serials", "another value");
  return list;
}
