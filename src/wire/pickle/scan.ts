import type { Envelope } from "../codec.ts";
import type { FlatItems } from "../flat.ts";
import { ITEM_BYTES, ITEM_NONE, ITEM_OTHER } from "../flat.ts";
import { ID_BYTES, NO_TID, readTid } from "../ids.ts";
import type { Tid } from "../ids.ts";
import { AtomCursor, BYTES, NOTHING, OTHER, SHORT, TEXT } from "./atoms.ts";
import { scanOids } from "./oids.ts";
import * as op from "./opcodes.ts";

const cursor = new AtomCursor();

/** See `ReplyReader.flat`. */
export function flatPickle(payload: Buffer, at: number, into: FlatItems): void {
  into.clear();
  cursor.reset(payload, at);
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
  cursor.reset(payload, at);
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
  cursor.reset(payload, envelope.argsAt);
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
  cursor.reset(payload, at);
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

/** The offset behind an opcode that is no atom; -1 at the stop and at what is no pickle. */
function skipOther(payload: Buffer, at: number): number {
  switch (payload[at]) {
    case op.PROTO:
    case op.BINGET:
    case op.EXT1:
      return at + 2;
    case op.EXT2:
      return at + 3;
    case op.LONG_BINGET:
    case op.EXT4:
      return at + 5;
    case op.LONG4:
      return at + 5 <= payload.length ? at + 5 + payload.readUInt32LE(at + 1) : -1;
    case op.BYTEARRAY8:
      return at + 9 <= payload.length ? at + 9 + Number(payload.readBigUInt64LE(at + 1)) : -1;
    case op.GLOBAL:
    case op.INST:
      return skipLine(payload, skipLine(payload, at + 1));
    case op.GET:
    case op.STRING:
    case op.UNICODE:
    case op.FLOAT:
    case op.PERSID:
      return skipLine(payload, at + 1);
    case op.MARK:
    case op.POP:
    case op.POP_MARK:
    case op.DUP:
    case op.BINPERSID:
    case op.REDUCE:
    case op.APPEND:
    case op.BUILD:
    case op.DICT:
    case op.EMPTY_DICT:
    case op.APPENDS:
    case op.LIST:
    case op.EMPTY_LIST:
    case op.OBJ:
    case op.SETITEM:
    case op.TUPLE:
    case op.EMPTY_TUPLE:
    case op.SETITEMS:
    case op.NEWOBJ:
    case op.TUPLE1:
    case op.TUPLE2:
    case op.TUPLE3:
    case op.EMPTY_SET:
    case op.ADDITEMS:
    case op.FROZENSET:
    case op.NEWOBJ_EX:
    case op.STACK_GLOBAL:
      return at + 1;
    default:
      return -1;
  }
}

function skipLine(payload: Buffer, at: number): number {
  if (at < 0) return -1;
  const end = payload.indexOf(0x0a, at);
  return end < 0 ? -1 : end + 1;
}
