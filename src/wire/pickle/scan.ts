import type { Envelope } from "../codec.ts";
import type { FlatItems } from "../flat.ts";
import { ITEM_BYTES, ITEM_NONE, ITEM_OTHER } from "../flat.ts";
import { ID_BYTES, NO_TID, readTid } from "../ids.ts";
import type { Tid } from "../ids.ts";
import { AtomCursor, BYTES, isNoise, NOTHING, OTHER, SHORT, TEXT } from "./atoms.ts";
import { scanOids } from "./oids.ts";
import * as op from "./opcodes.ts";

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
  const list = scanOids(payload, at);
  return list !== undefined && atEnd(payload, list.end);
}

/** See `ReplyReader.largest`. Stops at what is no pickle. */
export function largestPickle(payload: Buffer, at: number): Tid {
  let newest = NO_TID;
  const cursor = new AtomCursor(payload, at);
  for (;;) {
    const kind = cursor.next();
    if (kind === SHORT) return newest;
    if (kind === BYTES) {
      if (!cursor.isWhole()) return newest;
      if (cursor.length === ID_BYTES) {
        const tid = readTid(payload, cursor.start);
        if (tid > newest) newest = tid;
      }
    } else if (kind === OTHER) {
      const next = skipOther(payload, cursor.at);
      if (next < 0) return newest;
      cursor.at = next;
    }
  }
}

/** The bytes of an opcode that is no atom, with its argument. */
const SIZES = new Uint8Array(256);
/** How many lines are its argument instead. */
const LINES = new Uint8Array(256);

for (const code of [
  op.MARK,
  op.POP,
  op.POP_MARK,
  op.DUP,
  op.BINPERSID,
  op.REDUCE,
  op.APPEND,
  op.BUILD,
  op.DICT,
  op.EMPTY_DICT,
  op.APPENDS,
  op.LIST,
  op.EMPTY_LIST,
  op.OBJ,
  op.SETITEM,
  op.TUPLE,
  op.EMPTY_TUPLE,
  op.SETITEMS,
  op.NEWOBJ,
  op.TUPLE1,
  op.TUPLE2,
  op.TUPLE3,
  op.EMPTY_SET,
  op.ADDITEMS,
  op.FROZENSET,
  op.NEWOBJ_EX,
  op.STACK_GLOBAL,
]) {
  SIZES[code] = 1;
}
for (const code of [op.PROTO, op.BINGET, op.EXT1]) SIZES[code] = 2;
SIZES[op.EXT2] = 3;
for (const code of [op.LONG_BINGET, op.EXT4]) SIZES[code] = 5;
for (const code of [op.GET, op.STRING, op.UNICODE, op.FLOAT, op.PERSID]) LINES[code] = 1;
for (const code of [op.GLOBAL, op.INST]) LINES[code] = 2;

/** The offset behind an opcode that is no atom; -1 at the stop and at what is no pickle. */
function skipOther(payload: Buffer, at: number): number {
  const code = payload[at] as number;
  const size = SIZES[code] as number;
  if (size > 0) return at + size;
  if (code === op.LONG4) return at + 5 <= payload.length ? at + 5 + payload.readUInt32LE(at + 1) : -1;
  if (code === op.BYTEARRAY8) return at + 9 <= payload.length ? at + 9 + Number(payload.readBigUInt64LE(at + 1)) : -1;
  let end = at;
  for (let lines = LINES[code] as number; lines > 0; lines--) {
    end = payload.indexOf(0x0a, end + 1);
    if (end < 0) return -1;
  }
  return end === at ? -1 : end + 1;
}
