import { MAX_DECODED, MAX_DEPTH, PRICE_BUFFER, PRICE_MAP, PRICE_PLAIN, PRICE_TUPLE } from "../bounds.ts";
import type { Envelope } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import type { FlatItems } from "../flat.ts";
import { ITEM_BYTES, ITEM_NONE, ITEM_OTHER } from "../flat.ts";
import { ID_BYTES, NO_TID, readTid } from "../ids.ts";
import type { Tid } from "../ids.ts";
import * as token from "./tokens.ts";
import { TokenCursor } from "./tokens.ts";

const PRICES: readonly number[] = [
  0,
  PRICE_PLAIN,
  PRICE_PLAIN,
  PRICE_PLAIN,
  PRICE_PLAIN,
  PRICE_BUFFER,
  PRICE_PLAIN,
  PRICE_TUPLE,
  PRICE_MAP,
  PRICE_BUFFER,
];

/**
 * The offset behind the value at `at`. Checks before anything is decoded what msgpack-lite does not: nesting (deep
 * arrays kill its process), counts, lengths, and what the value would take in memory (`priced`).
 *
 * Raises `ProtocolError` (`bad-msgpack`), also when the value is cut.
 */
export function scanMsgpack(bytes: Buffer, at: number, priced = false): number {
  const cursor = new TokenCursor(bytes, at);
  /** How many items are missing, level by level; below the first one, the value itself. */
  const missing = [1];
  let spent = 0;
  while (missing.length > 0) {
    const top = missing.length - 1;
    if (missing[top] === 0) {
      missing.pop();
      continue;
    }
    (missing[top] as number)--;
    const kind = cursor.next();
    if (
      kind === token.SHORT ||
      ((kind === token.BYTES || kind === token.TEXT || kind === token.EXTENSION) && !cursor.isWhole())
    ) {
      throw new ProtocolError("bad-msgpack", cursor.tokenAt, "a value", "the end");
    }
    if (kind === token.ARRAY || kind === token.MAP) {
      const items = kind === token.MAP ? cursor.length * 2 : cursor.length;
      // Each item takes a byte at least.
      if (items > bytes.length - cursor.at) {
        throw new ProtocolError("bad-msgpack", cursor.tokenAt, `${items} values`, `${bytes.length - cursor.at} bytes`);
      }
      if (missing.length > MAX_DEPTH) {
        throw new ProtocolError("bad-msgpack", cursor.tokenAt, `at most ${MAX_DEPTH} levels`, "more");
      }
      missing.push(items);
    }
    if (priced) {
      spent += PRICES[kind] as number;
      if (spent > MAX_DECODED) {
        throw new ProtocolError(
          "bad-msgpack",
          cursor.tokenAt,
          `a value of at most ${MAX_DECODED} bytes in memory`,
          "more",
        );
      }
    }
  }
  return cursor.at;
}

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
  const cursor = new TokenCursor(payload, at);
  if (cursor.next() !== token.ARRAY) return false;
  for (let missing = cursor.length; missing > 0; missing--) {
    if (cursor.next() !== token.BYTES || !cursor.isWhole()) return false;
  }
  return cursor.at === payload.length;
}

/** See `ReplyReader.largest`. Stops at what is no msgpack. */
export function largestMsgpack(payload: Buffer, at: number): Tid {
  let newest = NO_TID;
  const cursor = new TokenCursor(payload, at);
  try {
    for (;;) {
      const kind = cursor.next();
      if (kind === token.SHORT) return newest;
      if (kind === token.BYTES && cursor.length === ID_BYTES && cursor.isWhole()) {
        const tid = readTid(payload, cursor.start);
        if (tid > newest) newest = tid;
      }
    }
  } catch (error) {
    if (error instanceof ProtocolError) return newest;
    throw error;
  }
}
