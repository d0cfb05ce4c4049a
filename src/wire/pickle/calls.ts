import { MAX_VALUE_STEPS } from "../bounds.ts";
import type { Envelope, InvalidationArgs, MessageId } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import { ID_BYTES, readTid } from "../ids.ts";
import type { Value } from "../value.ts";
import { itemsOf, PyTuple } from "../value.ts";
import { Work } from "../work.ts";
import { AtomCursor, BYTES, OTHER, SHORT, TEXT } from "./atoms.ts";
import { packOids, scanOids } from "./oids.ts";
import { walkOids } from "./oid-walk.ts";
import * as op from "./opcodes.ts";
import { readPickle } from "./reader.ts";
import { atEnd } from "./scan.ts";

/** The arguments of a call, or a reply's value. */
export function argsOf(payload: Buffer, work?: Work): Value {
  const message = readPickle(payload, 0, [], work);
  const args = message instanceof PyTuple && message.items.length === 4 ? message.items[3] : undefined;
  if (args === undefined) throw new ProtocolError("bad-pickle", 0, "a tuple of four", "another value");
  return args;
}

/**
 * The last atom before the ends of a call's arguments and of its message. See `Codec.storeTail`. A tail can't be read
 * by the memo, since what was memoized lies before it; no peer numbers its transactions by anything but integers.
 */
export function storeTailPickle(tail: Buffer): MessageId {
  const cursor = new AtomCursor(tail, 0);
  let last = -1;
  for (;;) {
    const kind = cursor.next();
    if (kind === OTHER) break;
    if (kind === SHORT || ((kind === BYTES || kind === TEXT) && !cursor.isWhole())) {
      throw new ProtocolError("bad-pickle", cursor.at, "a transaction id", "the end");
    }
    last = cursor.opcodeAt;
  }
  const code = tail[cursor.at] as number;
  const closes = code === op.TUPLE || (code >= op.TUPLE1 && code <= op.TUPLE3);
  if (last < 0 || !closes || !atEnd(tail, cursor.at + 1)) {
    throw new ProtocolError("bad-pickle", cursor.at, "the end of a store", `opcode 0x${code.toString(16)}`);
  }
  // Only the last one is made into anything.
  const found = new AtomCursor(tail, last);
  return found.id(found.next());
}

/** The value `(tid, oids)`: an invalidation's arguments, or a `getInvalidations` reply. */
export function invalidationPickle(payload: Buffer, envelope: Envelope): InvalidationArgs {
  return scanInvalidation(payload, envelope.argsAt) ?? decodeInvalidation(payload);
}

/** The same, or None. */
export function invalidationsReplyPickle(payload: Buffer, envelope: Envelope): InvalidationArgs | undefined {
  const { argsAt } = envelope;
  if (payload[argsAt] === op.NONE && atEnd(payload, argsAt + 1)) return undefined;
  const scanned = scanInvalidation(payload, argsAt);
  if (scanned !== undefined) return scanned;
  const value = argsOf(payload, valueWork());
  return value === null ? undefined : invalidationIn(value);
}

function scanInvalidation(payload: Buffer, argsAt: number): InvalidationArgs | undefined {
  const cursor = new AtomCursor(payload, argsAt);
  if (!cursor.skipNoise()) return undefined;
  const marked = payload[cursor.at] === op.MARK;
  if (marked) cursor.at += 1;
  if (cursor.next() !== BYTES || cursor.length !== ID_BYTES || !cursor.isWhole()) return undefined;
  const tid = readTid(payload, cursor.start);
  if (!cursor.skipNoise()) return undefined;
  const list = scanOids(payload, cursor.at) ?? walkOids(payload, cursor.at);
  if (list === undefined) return undefined;
  cursor.at = list.end;
  if (!cursor.skipNoise() || payload[cursor.at] !== (marked ? op.TUPLE : op.TUPLE2)) return undefined;
  return atEnd(payload, cursor.at + 1) ? { tid, oids: list.oids } : undefined;
}

/** As no server writes it: what it may cost is bounded. */
function decodeInvalidation(payload: Buffer): InvalidationArgs {
  return invalidationIn(argsOf(payload, valueWork()));
}

function valueWork(): Work {
  return new Work("bad-pickle", MAX_VALUE_STEPS);
}

function invalidationIn(value: Value): InvalidationArgs {
  const items = itemsOf(value);
  const [tid, oids] = items ?? [];
  if (items?.length !== 2 || !Buffer.isBuffer(tid) || tid.length !== ID_BYTES || oids === undefined) {
    throw new ProtocolError("bad-pickle", 0, "a tid and oids", "another value");
  }
  return { tid: readTid(tid), oids: packOids(oids, "bad-pickle") };
}
