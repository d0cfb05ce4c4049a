import type { Envelope, StoreHead } from "../codec.ts";
import { MAX_HEAD } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import { ID_BYTES } from "../ids.ts";
import type { Method } from "../methods.ts";
import { AtomCursor, BYTES, DOUBLE, INTEGER, NOTHING, SHORT, TEXT } from "./atoms.ts";
import { memoized } from "./memo.ts";
import * as op from "./opcodes.ts";
import { opcodeEnd } from "./walk.ts";
import { unexpected } from "./unexpected.ts";

const shared = new AtomCursor();

/** See `Codec.storeHead`. */
export function storeHeadPickle(head: Buffer, envelope: Envelope, method: Method): StoreHead | undefined {
  const cursor = shared.open(head, envelope.argsAt);
  try {
    return readStoreHead(cursor, head, method);
  } finally {
    cursor.close();
  }
}

function readStoreHead(cursor: AtomCursor, head: Buffer, method: Method): StoreHead | undefined {
  const more = (): undefined => {
    if (head.length < MAX_HEAD) return undefined;
    throw new ProtocolError("bad-pickle", 0, `a store's oid and serial in the first ${MAX_HEAD} bytes`, "more");
  };
  if (!cursor.skipNoise()) return more();
  // Four and more arguments, and all of protocol 1, begin with a mark.
  if (head[cursor.at] === op.MARK) cursor.at += 1;

  const oid = cursor.next();
  if (oid === SHORT) return more();
  const oidAt = cursor.start;
  if (oid !== BYTES || cursor.length !== ID_BYTES) throw unexpected(cursor.opcodeAt, "an oid", head[cursor.opcodeAt]);
  if (!cursor.isWhole()) return more();

  let serial: StoreHead["serial"];
  switch (cursor.next()) {
    case SHORT:
      return more();
    case NOTHING:
      serial = "none";
      break;
    case BYTES:
      if (!cursor.isWhole()) return more();
      serial = cursor.length === ID_BYTES && isZero(head, cursor.start) ? "zero" : "set";
      break;
    case TEXT:
    case INTEGER:
    case DOUBLE:
      // No serial, but a server compares it with eight zero bytes only (ZEO's own tests store with a text).
      serial = "set";
      break;
    default: {
      // With a memo, the root object's oid and the serial of eight zeros can be one and the same string.
      const next = opcodeEnd(head, cursor.at);
      if (next < 0) return more();
      const found = memoized(head, cursor.at);
      const at = found === undefined ? -1 : idAt(head, found.from);
      if (at < 0) throw unexpected(cursor.at, "a serial", head[cursor.at]);
      serial = isZero(head, at) ? "zero" : "set";
      cursor.at = next;
    }
  }
  if (method.sort === "delete") return { oidAt, serial, restAt: cursor.at };

  switch (cursor.next()) {
    case SHORT:
      return more();
    case NOTHING:
    case BYTES:
    case TEXT:
      return { oidAt, serial, restAt: cursor.at };
    default:
      throw unexpected(cursor.at, "an object's data", head[cursor.at]);
  }
}

/** Where the eight bytes of the byte string are that begins at `at`; -1 where it is none, or a longer one. */
function idAt(bytes: Buffer, at: number): number {
  const cursor = new AtomCursor(bytes, at);
  return cursor.next() === BYTES && cursor.length === ID_BYTES ? cursor.start : -1;
}

function isZero(bytes: Buffer, at: number): boolean {
  for (let i = at; i < at + ID_BYTES; i++) if (bytes[i] !== 0) return false;
  return true;
}
