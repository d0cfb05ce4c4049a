import type { Envelope } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import type { FlatItems } from "../flat.ts";
import { ITEM_BYTES, ITEM_NONE, ITEM_OTHER } from "../flat.ts";
import { ID_BYTES, NO_TID, readTid } from "../ids.ts";
import type { Tid } from "../ids.ts";
import type { Work } from "../work.ts";
import * as token from "./tokens.ts";
import { TokenCursor } from "./tokens.ts";

const shared = new TokenCursor();

/** See `ReplyReader.flat`. */
export function flatMsgpack(payload: Buffer, at: number, into: FlatItems): void {
  const cursor = shared.open(payload, at);
  try {
    readFlat(cursor, payload, into);
  } finally {
    cursor.close();
  }
}

function readFlat(cursor: TokenCursor, payload: Buffer, into: FlatItems): void {
  let missing = 1;
  while (missing > 0) {
    const kind = cursor.next();
    if (kind === token.ARRAY && !into.tuple && into.count === 0) {
      into.tuple = true;
      missing = cursor.length;
      continue;
    }
    missing--;
    switch (kind) {
      case token.SHORT:
      case token.ARRAY:
      case token.MAP:
        return;
      case token.NIL:
        if (!into.add(ITEM_NONE, 0, 0)) return;
        break;
      case token.BYTES:
      case token.TEXT:
      case token.EXTENSION:
        if (!cursor.isWhole()) return;
        if (!into.add(kind === token.BYTES ? ITEM_BYTES : ITEM_OTHER, cursor.start, cursor.length)) return;
        break;
      default:
        if (!into.add(ITEM_OTHER, 0, 0)) return;
    }
  }
  into.complete = cursor.at === payload.length;
}

/** An exception: flags 2. Only new servers speak msgpack. */
export function isExceptionMsgpack(_payload: Buffer, envelope: Envelope): boolean {
  return envelope.flags === 2;
}

/** See `ReplyReader.isPlainList`. */
export function isPlainListMsgpack(payload: Buffer, at: number): boolean {
  try {
    return isListOfBytes(payload, at);
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function isListOfBytes(payload: Buffer, at: number): boolean {
  const cursor = new TokenCursor(payload, at);
  if (cursor.next() !== token.ARRAY) return false;
  for (let missing = cursor.length; missing > 0; missing--) {
    let kind = cursor.next();
    if (kind === token.ARRAY && cursor.length === PAIR) {
      if (cursor.next() !== token.BYTES) return false;
      kind = cursor.next();
    }
    if (kind !== token.BYTES || !cursor.isWhole()) return false;
  }
  return cursor.at === payload.length;
}

const PAIR = 2;

/** See `ReplyReader.largest`. */
export function largestMsgpack(payload: Buffer, at: number, work: Work): Tid {
  let newest = NO_TID;
  const cursor = new TokenCursor(payload, at);
  let steps = 0;
  while (cursor.at < payload.length) {
    const kind = cursor.next();
    if (++steps === 256) {
      work.spend(steps, cursor.tokenAt);
      steps = 0;
    }
    if (kind === token.SHORT || cursor.at > payload.length) {
      throw new ProtocolError("bad-msgpack", cursor.tokenAt, "a value", "the end");
    }
    if (kind === token.BYTES && cursor.length === ID_BYTES) {
      const tid = readTid(payload, cursor.start);
      if (tid > newest) newest = tid;
    }
  }
  work.spend(steps, cursor.at);
  return newest;
}
