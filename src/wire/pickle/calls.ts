import type { Envelope, InvalidationArgs, MessageId } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import { ID_BYTES, readTid } from "../ids.ts";
import { messageIdOf } from "../message-id.ts";
import type { Value } from "../value.ts";
import { itemsOf, PyTuple } from "../value.ts";
import { AtomCursor, BYTES, INTEGER, OTHER, SHORT, TEXT } from "./atoms.ts";
import { packOids, scanOids } from "./oids.ts";
import * as op from "./opcodes.ts";
import { readPickle } from "./reader.ts";
import { atEnd } from "./scan.ts";

/** The arguments of a call, or a reply's value. */
export function argsOf(payload: Buffer): Value {
  const message = readPickle(payload);
  const args = message instanceof PyTuple && message.items.length === 4 ? message.items[3] : undefined;
  if (args === undefined) throw new ProtocolError("bad-pickle", 0, "a tuple of four", "another value");
  return args;
}

function idOf(value: Value | undefined): MessageId {
  const id = value === undefined ? undefined : messageIdOf(value);
  if (id === undefined) throw new ProtocolError("bad-pickle", 0, "an id", "another value");
  return id;
}

/** See `Codec.firstArg`. */
export function firstArgPickle(payload: Buffer, envelope: Envelope): MessageId {
  const cursor = new AtomCursor(payload, envelope.argsAt);
  if (cursor.skipNoise() && payload[cursor.at] === op.MARK) cursor.at += 1;
  const kind = cursor.next();
  if (kind === INTEGER) return cursor.id(kind);
  if ((kind === BYTES || kind === TEXT) && cursor.isWhole()) {
    const id = cursor.id(kind);
    // Short tuples have no mark, so this may be the first part of an id that is a tuple: then the slow way.
    const next = cursor.next();
    if (next !== BYTES && next !== TEXT) return id;
  }
  return idOf(itemsOf(argsOf(payload))?.[0]);
}

/** See `Codec.lastArg`. */
export function lastArgPickle(payload: Buffer): MessageId {
  return idOf(itemsOf(argsOf(payload))?.at(-1));
}

/**
 * The last atom before the ends of a call's arguments and of its message. See `Codec.storeTail`. A tail can't be read
 * by the memo, since what was memoized lies before it; no peer numbers its transactions by anything but integers.
 */
export function storeTailPickle(tail: Buffer): MessageId {
  const cursor = new AtomCursor(tail, 0);
  let id: MessageId | undefined;
  for (;;) {
    const kind = cursor.next();
    if (kind === OTHER) break;
    if (kind === SHORT || ((kind === BYTES || kind === TEXT) && !cursor.isWhole())) {
      throw new ProtocolError("bad-pickle", cursor.at, "a transaction id", "the end");
    }
    id = cursor.id(kind);
  }
  const code = tail[cursor.at] as number;
  const closes = code === op.TUPLE || (code >= op.TUPLE1 && code <= op.TUPLE3);
  if (id === undefined || !closes || !atEnd(tail, cursor.at + 1)) {
    throw new ProtocolError("bad-pickle", cursor.at, "the end of a store", `opcode 0x${code.toString(16)}`);
  }
  return id;
}

/** The value `(tid, oids)`: an invalidation's arguments, or a `getInvalidations` reply. */
export function invalidationPickle(payload: Buffer, envelope: Envelope): InvalidationArgs {
  return scanInvalidation(payload, envelope.argsAt) ?? decodeInvalidation(argsOf(payload));
}

/** The same, or None. */
export function invalidationsReplyPickle(payload: Buffer, envelope: Envelope): InvalidationArgs | undefined {
  const { argsAt } = envelope;
  if (payload[argsAt] === op.NONE && atEnd(payload, argsAt + 1)) return undefined;
  const scanned = scanInvalidation(payload, argsAt);
  if (scanned !== undefined) return scanned;
  const value = argsOf(payload);
  return value === null ? undefined : decodeInvalidation(value);
}

function scanInvalidation(payload: Buffer, argsAt: number): InvalidationArgs | undefined {
  const cursor = new AtomCursor(payload, argsAt);
  if (!cursor.skipNoise()) return undefined;
  const marked = payload[cursor.at] === op.MARK;
  if (marked) cursor.at += 1;
  if (cursor.next() !== BYTES || cursor.length !== ID_BYTES || !cursor.isWhole()) return undefined;
  const tid = readTid(payload, cursor.start);
  const list = scanOids(payload, cursor.at);
  if (list === undefined) return undefined;
  const close = payload[list.end];
  if (close !== (marked ? op.TUPLE : op.TUPLE2) || !atEnd(payload, list.end + 1)) return undefined;
  return { tid, oids: list.oids };
}

function decodeInvalidation(value: Value): InvalidationArgs {
  const items = itemsOf(value);
  const [tid, oids] = items ?? [];
  if (items?.length !== 2 || !Buffer.isBuffer(tid) || tid.length !== ID_BYTES || oids === undefined) {
    throw new ProtocolError("bad-pickle", 0, "a tid and oids", "another value");
  }
  return { tid: readTid(tid), oids: packOids(oids, "bad-pickle") };
}
