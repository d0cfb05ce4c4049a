import type { Envelope, MessageId, StoreHead } from "../codec.ts";
import { MAX_HEAD } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import { ID_BYTES } from "../ids.ts";
import { idOfBytes, idOfInteger, idOfItems, idOfPair, idOfText, NONE_ID } from "../message-id.ts";
import type { Method } from "../methods.ts";
import { nameAt } from "../names.ts";
import { Skim } from "../skim.ts";
import { skimMsgpack } from "./skim.ts";
import * as token from "./tokens.ts";
import type { TokenKind } from "./tokens.ts";
import { TokenCursor } from "./tokens.ts";

/** Id, flags and method fit in so many bytes, so that a store's head fits in `MAX_HEAD`. */
const MAX_ENVELOPE = MAX_HEAD / 2;
const MAX_ID_PARTS = 8;
const MAX_ID_DEPTH = 4;

const shared = new TokenCursor();

function wantMore(head: Buffer, limit: number, what: string): undefined {
  if (head.length < limit) return undefined;
  throw new ProtocolError("bad-msgpack", 0, `${what} in the first ${limit} bytes`, "more");
}

function unexpected(cursor: TokenCursor, expected: string): ProtocolError {
  return new ProtocolError("bad-msgpack", cursor.tokenAt, expected, "another value");
}

/** bin 8, its length, and the eight bytes of an oid or tid. */
const SHORT_ID = 2 + ID_BYTES;

const BIN8 = 0xc4;

function isPair(bytes: Buffer, at: number): boolean {
  if (at + SHORT_ID * 2 > bytes.length) return false;
  const tid = at + SHORT_ID;
  return bytes[at] === BIN8 && bytes[at + 1] === ID_BYTES && bytes[tid] === BIN8 && bytes[tid + 1] === ID_BYTES;
}

/**
 * Reads the id that begins where `from` stands, from that cursor. Undefined when it is cut; an error for what no peer
 * uses as an id.
 */
export function readId(from: TokenCursor, depth = 0): MessageId | undefined {
  const kind = from.next();
  switch (kind) {
    case token.SHORT:
      return undefined;
    case token.NIL:
      return NONE_ID;
    case token.BOOLEAN:
    case token.INTEGER:
    case token.FLOAT:
      return idOfInteger(from.int);
    case token.BYTES:
    case token.TEXT: {
      if (!from.isWhole()) return undefined;
      const content = from.bytes.subarray(from.start, from.start + from.length);
      return kind === token.BYTES ? idOfBytes(content) : idOfText(content.toString("utf8"));
    }
    case token.ARRAY: {
      const count = from.length;
      if (count === 2 && isPair(from.bytes, from.at)) {
        const { at } = from;
        from.at = at + SHORT_ID * 2;
        return idOfPair(from.bytes, at + 2, from.bytes, at + SHORT_ID + 2);
      }
      if (count > MAX_ID_PARTS || depth >= MAX_ID_DEPTH) break;
      const parts: MessageId[] = [];
      while (parts.length < count) {
        const part = readId(from, depth + 1);
        if (part === undefined) return undefined;
        parts.push(part);
      }
      return idOfItems(parts);
    }
    default:
  }
  throw new ProtocolError("bad-msgpack", from.tokenAt, "an id", "another value");
}

/** Id, flags and method of an array of four. */
export function peekMsgpack(head: Buffer): Envelope | undefined {
  return peekQuickly(head) ?? peekSlowly(head);
}

const skim = new Skim();

/** The shape of nearly all messages; undefined for any other, and when more bytes are needed. */
function peekQuickly(head: Buffer): Envelope | undefined {
  if (!skimMsgpack(head, 0, head.length, skim)) return undefined;
  const { flags, nameAt: start, argsAt } = skim;
  return { id: skim.id, flags, method: nameAt(head, start, argsAt), argsAt };
}

function peekSlowly(head: Buffer): Envelope | undefined {
  const more = (): undefined => wantMore(head, MAX_ENVELOPE, "id, flags and method");
  const cursor = new TokenCursor(head, 0);
  const first = cursor.next();
  if (first === token.SHORT) return more();
  if (first !== token.ARRAY || cursor.length !== 4) throw unexpected(cursor, "an array of four");
  const id = readId(cursor);
  if (id === undefined) return more();
  const flags = cursor.next();
  if (flags === token.SHORT) return more();
  if ((flags !== token.INTEGER && flags !== token.BOOLEAN) || typeof cursor.int !== "number")
    throw unexpected(cursor, "flags");
  const flag = cursor.int;
  const name: TokenKind = cursor.next();
  if (name === token.SHORT) return more();
  if (name !== token.TEXT && name !== token.BYTES) throw unexpected(cursor, "the name of a method");
  if (cursor.at > MAX_ENVELOPE) {
    throw new ProtocolError("bad-msgpack", 0, `id, flags and method in ${MAX_ENVELOPE} bytes`, "more");
  }
  if (!cursor.isWhole()) return more();
  return { id, flags: flag, method: nameAt(head, cursor.start, cursor.at), argsAt: cursor.at };
}

/** The kind of the method's name. The payload has passed `peekMsgpack`. */
export function nameKind(payload: Buffer): TokenKind {
  const cursor = new TokenCursor(payload, 0);
  cursor.next();
  readId(cursor);
  cursor.next();
  return cursor.next();
}

/** See `Codec.storeHead`. */
export function storeHeadMsgpack(head: Buffer, envelope: Envelope, method: Method): StoreHead | undefined {
  const cursor = shared.open(head, envelope.argsAt);
  try {
    return readStoreHead(cursor, head, method);
  } finally {
    cursor.close();
  }
}

function readStoreHead(cursor: TokenCursor, head: Buffer, method: Method): StoreHead | undefined {
  const more = (): undefined => wantMore(head, MAX_HEAD, "a store's oid and serial");
  const args = cursor.next();
  if (args === token.SHORT) return more();
  if (args !== token.ARRAY || cursor.length < 3) throw unexpected(cursor, "three or more arguments");

  const oid = cursor.next();
  if (oid === token.SHORT) return more();
  if (oid !== token.BYTES || cursor.length !== ID_BYTES) throw unexpected(cursor, "an oid");
  if (!cursor.isWhole()) return more();
  const oidAt = cursor.start;

  let serial: StoreHead["serial"] = "none";
  const found = cursor.next();
  if (found === token.SHORT) return more();
  if (found === token.BYTES && cursor.length === ID_BYTES) {
    if (!cursor.isWhole()) return more();
    serial = head.readUInt32BE(cursor.start) === 0 && head.readUInt32BE(cursor.start + 4) === 0 ? "zero" : "set";
  } else if (found === token.BYTES || found === token.TEXT || found === token.INTEGER) {
    // No serial, but a server compares it with eight zero bytes only.
    serial = "set";
  } else if (found !== token.NIL) {
    throw unexpected(cursor, "a serial");
  }
  if (method.sort === "delete") return { oidAt, serial, restAt: cursor.at };

  const data = cursor.next();
  if (data === token.SHORT) return more();
  if (data !== token.BYTES && data !== token.TEXT && data !== token.NIL) throw unexpected(cursor, "an object's data");
  return { oidAt, serial, restAt: cursor.at };
}
