import type { Envelope, InvalidationArgs, MessageId } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import { ID_BYTES, readTid } from "../ids.ts";
import { copyId } from "../packed.ts";
import { Work } from "../work.ts";
import { readId } from "./peek.ts";
import { skipMsgpack } from "./skip.ts";
import * as token from "./tokens.ts";
import type { TokenKind } from "./tokens.ts";
import { TokenCursor } from "./tokens.ts";

/** bin 8, its length, and the eight bytes. */
const OID_COST = 2 + ID_BYTES;
const BIN8 = 0xc4;
const PAIR = 2;

function unexpected(cursor: TokenCursor, expected: string): ProtocolError {
  return new ProtocolError("bad-msgpack", cursor.tokenAt, expected, "another value");
}

function wholeId(cursor: TokenCursor): MessageId {
  const id = readId(cursor);
  if (id === undefined) throw new ProtocolError("bad-msgpack", cursor.at, "an id", "the end");
  return id;
}

function atEnd(payload: Buffer, at: number): void {
  if (at !== payload.length) throw new ProtocolError("bad-msgpack", at, "the end", "other bytes");
}

/** See `Codec.storeTail`. */
export function storeTailMsgpack(tail: Buffer): MessageId {
  const cursor = new TokenCursor(tail, 0);
  const work = new Work("bad-msgpack", tail.length + 1);
  let last = 0;
  do {
    last = cursor.at;
    skipMsgpack(cursor, 1, work);
  } while (cursor.at < tail.length);
  return wholeId(new TokenCursor(tail, last));
}

/** The value `[tid, oids]`: an invalidation's arguments, or a `getInvalidations` reply. Oids may come in pairs. */
export function invalidationMsgpack(payload: Buffer, envelope: Envelope): InvalidationArgs {
  const cursor = new TokenCursor(payload, envelope.argsAt);
  const kind = cursor.next();
  const items: number = cursor.length;
  if (kind !== token.ARRAY || items !== 2) throw unexpected(cursor, "a tid and oids");
  if (cursor.next() !== token.BYTES || cursor.length !== ID_BYTES || !cursor.isWhole())
    throw unexpected(cursor, "a tid");
  const tid = readTid(payload, cursor.start);
  if (cursor.next() !== token.ARRAY) throw unexpected(cursor, "a list of oids");
  const count = cursor.length;
  if (count * OID_COST > payload.length - cursor.at) throw unexpected(cursor, `${count} oids`);
  const oids = Buffer.allocUnsafe(count * ID_BYTES);
  const work = new Work("bad-msgpack", payload.length);
  for (let filled = 0; filled < oids.length; filled += ID_BYTES) readOid(cursor, payload, oids, filled, work);
  atEnd(payload, cursor.at);
  return { tid, oids };
}

function readOid(cursor: TokenCursor, payload: Buffer, oids: Buffer, filled: number, work: Work): void {
  const { at } = cursor;
  if (payload[at] === BIN8 && payload[at + 1] === ID_BYTES && at + OID_COST <= payload.length) {
    copyId(payload, at + 2, oids, filled);
    cursor.at = at + OID_COST;
    return;
  }
  const kind = cursor.next();
  if (kind !== token.ARRAY) {
    takeOid(cursor, payload, kind, oids, filled);
  } else {
    // A pair of oid and version, as clients of protocol Z308 would get it.
    if (cursor.length !== PAIR) throw unexpected(cursor, "an oid and its version");
    takeOid(cursor, payload, cursor.next(), oids, filled);
    skipMsgpack(cursor, 1, work);
  }
}

function takeOid(cursor: TokenCursor, payload: Buffer, kind: TokenKind, oids: Buffer, filled: number): void {
  if (kind !== token.BYTES || cursor.length !== ID_BYTES || !cursor.isWhole()) throw unexpected(cursor, "an oid");
  copyId(payload, cursor.start, oids, filled);
}

/** The same, or nil. */
export function invalidationsReplyMsgpack(payload: Buffer, envelope: Envelope): InvalidationArgs | undefined {
  const cursor = new TokenCursor(payload, envelope.argsAt);
  if (cursor.next() !== token.NIL) return invalidationMsgpack(payload, envelope);
  atEnd(payload, cursor.at);
  return undefined;
}
