import { MAX_HEAD, type Envelope } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import { ID_BYTES } from "../ids.ts";
import { AtomCursor, BYTES, INTEGER, NOTHING, SHORT, TEXT } from "./atoms.ts";
import * as op from "./opcodes.ts";
import { atEnd } from "./scan.ts";

/** What a reply's value begins with. Nothing behind that is looked at, however much of it there is. */
export type ReplyHead =
  | { readonly kind: "none" }
  | { readonly kind: "integer"; readonly value: number }
  /** Eight bytes and no more: a tid. Memory of its own. */
  | { readonly kind: "id"; readonly id: Buffer }
  /** A tuple of four items or more, or of any number in protocol 1, whose first item is eight bytes. Memory of its own. */
  | { readonly kind: "items"; readonly id: Buffer }
  /** `name`: module and class, joined by a dot; empty where it can't be read. */
  | { readonly kind: "exception"; readonly name: string }
  | { readonly kind: "other" };

const NONE: ReplyHead = { kind: "none" };
const OTHER: ReplyHead = { kind: "other" };

const shared = new AtomCursor();

/**
 * From the first bytes of a reply with so many bytes in all; undefined when more are needed. At most `MAX_HEAD` bytes are
 * ever needed. Raises `ProtocolError` for a value that is cut.
 */
export function replyHead(head: Buffer, length: number, envelope: Envelope): ReplyHead | undefined {
  const cursor = shared.open(head, envelope.argsAt);
  try {
    const found = readHead(cursor, head, length, envelope.flags === 2);
    if (found !== "short") return found;
  } finally {
    cursor.close();
  }
  if (head.length >= length) throw new ProtocolError("bad-pickle", head.length, "a reply's value", "the end");
  return head.length < MAX_HEAD ? undefined : isException(head, envelope) ? { kind: "exception", name: "" } : OTHER;
}

function isException(head: Buffer, { flags, argsAt }: Envelope): boolean {
  return flags === 2 || head[head[argsAt] === op.MARK ? argsAt + 1 : argsAt] === op.GLOBAL;
}

function readHead(cursor: AtomCursor, head: Buffer, length: number, isError: boolean): ReplyHead | "short" {
  if (!cursor.skipNoise()) return "short";
  const isMarked = head[cursor.at] === op.MARK;
  if (isMarked) cursor.at += 1;
  if (!cursor.skipNoise()) return "short";
  // An old server's `(class, instance)`. No other value that is read here begins with a global.
  if (head[cursor.at] === op.GLOBAL) return globalAt(head, cursor.at + 1);
  const kind = cursor.next();
  if (kind === SHORT) return "short";
  const isContent = kind === BYTES || kind === TEXT;
  if (isError) {
    // A new server's `(class name, arguments)`.
    if (!isContent) return { kind: "exception", name: "" };
    return cursor.isWhole() ? { kind: "exception", name: contentOf(cursor).toString("latin1") } : "short";
  }
  const isId = kind === BYTES && cursor.length === ID_BYTES;
  if (isMarked) {
    if (!isId) return OTHER;
    return cursor.isWhole() ? { kind: "items", id: Buffer.from(contentOf(cursor)) } : "short";
  }
  if (!isId && kind !== NOTHING && kind !== INTEGER) return OTHER;
  if (head.length < length || (isId && !cursor.isWhole())) return "short";
  if (!atEnd(head, cursor.at)) return OTHER;
  if (kind === NOTHING) return NONE;
  if (isId) return { kind: "id", id: Buffer.from(contentOf(cursor)) };
  const value = cursor.number();
  return typeof value === "number" && Number.isSafeInteger(value) ? { kind: "integer", value } : OTHER;
}

/** Of a byte string or text that is whole. */
function contentOf({ bytes, start, length }: AtomCursor): Buffer {
  return bytes.subarray(start, start + length);
}

/** Two lines: module and name. */
function globalAt(head: Buffer, at: number): ReplyHead | "short" {
  const middle = head.indexOf(0x0a, at);
  const end = middle < 0 ? -1 : head.indexOf(0x0a, middle + 1);
  if (end < 0) return "short";
  const name = `${head.toString("latin1", at, middle)}.${head.toString("latin1", middle + 1, end)}`;
  return { kind: "exception", name };
}
