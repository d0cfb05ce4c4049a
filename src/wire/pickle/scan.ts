import type { Envelope } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import type { FlatItems } from "../flat.ts";
import { ITEM_BYTES, ITEM_NONE, ITEM_OTHER } from "../flat.ts";
import { ID_BYTES, NO_TID, readTid } from "../ids.ts";
import type { Tid } from "../ids.ts";
import type { Work } from "../work.ts";
import { AtomCursor, BYTES, isNoise, NOTHING, OTHER, SHORT, TEXT } from "./atoms.ts";
import { walkOids } from "./oid-walk.ts";
import { scanOids } from "./oids.ts";
import * as op from "./opcodes.ts";
import { opcodeEnd } from "./walk.ts";

const shared = new AtomCursor();

/** See `ReplyReader.flat`. */
export function flatPickle(payload: Buffer, at: number, into: FlatItems): void {
  const cursor = shared.open(payload, at);
  try {
    readFlat(cursor, payload, into);
  } finally {
    cursor.close();
  }
}

function readFlat(cursor: AtomCursor, payload: Buffer, into: FlatItems): void {
  if (!cursor.skipNoise()) return;
  const marked = payload[cursor.at] === op.MARK;
  if (marked) cursor.at += 1;
  for (;;) {
    const kind = cursor.next();
    if (kind === SHORT) return;
    if (kind === OTHER) break;
    if (kind === NOTHING) {
      if (!into.add(ITEM_NONE, 0, 0)) return;
    } else if (kind === BYTES || kind === TEXT) {
      if (!cursor.isWhole()) return;
      if (!into.add(kind === BYTES ? ITEM_BYTES : ITEM_OTHER, cursor.start, cursor.length)) return;
    } else if (!into.add(ITEM_OTHER, 0, 0)) {
      return;
    }
  }
  const code = payload[cursor.at] as number;
  if (marked) {
    if (code !== op.TUPLE) return;
    into.tuple = true;
    cursor.at += 1;
  } else if (code >= op.TUPLE1 && code <= op.TUPLE3) {
    if (into.count !== code - op.TUPLE1 + 1) return;
    into.tuple = true;
    cursor.at += 1;
  } else if (code !== op.TUPLE || into.count !== 1) {
    return;
  }
  into.complete = atEnd(payload, cursor.at);
}

/** Only the end of the message's own tuple, and the stop, are left. */
export function atEnd(payload: Buffer, at: number): boolean {
  if (payload[at] === op.TUPLE && payload[at + 1] === op.STOP) return at + 2 === payload.length;
  const cursor = new AtomCursor(payload, at);
  if (!cursor.skipNoise() || payload[cursor.at] !== op.TUPLE) return false;
  cursor.at += 1;
  return cursor.skipNoise() && payload[cursor.at] === op.STOP && cursor.at === payload.length - 1;
}

/**
 * An exception: flags 2, or a value `(class, instance)` whose class is a global (return_error in zrpc/connection.py).
 * No other reply has a global in the first place.
 */
export function isExceptionPickle(payload: Buffer, envelope: Envelope): boolean {
  if (envelope.flags === 2) return true;
  const { argsAt } = envelope;
  const first = payload[argsAt] === op.MARK ? payload[argsAt + 1] : payload[argsAt];
  if (first === op.GLOBAL) return true;
  if (first === undefined || !isNoise(first)) return false;
  const cursor = new AtomCursor(payload, argsAt);
  if (!cursor.skipNoise()) return false;
  if (payload[cursor.at] === op.MARK) {
    cursor.at += 1;
    if (!cursor.skipNoise()) return false;
  }
  return payload[cursor.at] === op.GLOBAL;
}

/** See `ReplyReader.isPlainList`. */
export function isPlainListPickle(payload: Buffer, at: number): boolean {
  const list = scanOids(payload, at) ?? walkOids(payload, at);
  return list !== undefined && atEnd(payload, list.end);
}

/** See `ReplyReader.largest`. */
export function largestPickle(payload: Buffer, at: number, work: Work): Tid {
  let newest = NO_TID;
  let steps = 0;
  for (let i = at; i < payload.length;) {
    const end = opcodeEnd(payload, i);
    const code = payload[i] as number;
    // What the memo brings back may stand before the value.
    if (end < 0 || code === op.GET || code === op.BINGET || code === op.LONG_BINGET) {
      throw new ProtocolError("bad-pickle", i, "a value without a memo", "something else");
    }
    if (++steps === 256) {
      work.spend(steps, i);
      steps = 0;
    }
    const id = contentAt(payload, i, end);
    if (id !== undefined) {
      const tid = readTid(id);
      if (tid > newest) newest = tid;
    }
    i = end;
  }
  work.spend(steps, at);
  return newest;
}

/** The eight bytes that the byte string of the opcode at `at` is; undefined for any other. */
function contentAt(payload: Buffer, at: number, end: number): Buffer | undefined {
  switch (payload[at]) {
    case op.SHORT_BINSTRING:
    case op.SHORT_BINBYTES:
      return end - at === 2 + ID_BYTES ? payload.subarray(at + 2, end) : undefined;
    case op.BINSTRING:
    case op.BINBYTES:
      return end - at === 5 + ID_BYTES ? payload.subarray(at + 5, end) : undefined;
    case op.BINBYTES8:
    case op.BYTEARRAY8:
      return end - at === 9 + ID_BYTES ? payload.subarray(at + 9, end) : undefined;
    default:
      return undefined;
  }
}
