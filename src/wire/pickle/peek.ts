import type { Envelope, MessageId } from "../codec.ts";
import { MAX_HEAD } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import { idOfItems } from "../message-id.ts";
import { nameAt } from "../names.ts";
import { Skim } from "../skim.ts";
import { AtomCursor, BYTES, INTEGER, OTHER, SHORT, TEXT } from "./atoms.ts";
import * as op from "./opcodes.ts";
import { mayBeLeftOver, skimMessage } from "./skim.ts";
import { unexpected } from "./unexpected.ts";

// Names of this module: as properties of another one they are slow to read under vitest, by getters.
const { EMPTY_TUPLE, MARK, MAX_PROTOCOL, PROTO, TUPLE, TUPLE1, TUPLE2, TUPLE3 } = op;

/** Id, flags and method fit in so many bytes, so that a store's head fits in `MAX_HEAD`. */
const MAX_ENVELOPE = MAX_HEAD / 2;
/** An id of more parts is none that a peer uses. */
const MAX_ID_PARTS = 8;

/** Undefined while more bytes can come; an error once `limit` bytes did not suffice. */
function wantMore(head: Buffer, limit: number, what: string): undefined {
  if (head.length < limit) return undefined;
  throw new ProtocolError("bad-pickle", 0, `${what} in the first ${limit} bytes`, "more");
}

/**
 * Id, flags and method of a pickled message. All peers pickle a tuple of four, so a mark, three values and then the
 * arguments. ZEO >= 5 clients number some calls by a tuple, and a short tuple of protocol 2 has no mark of its own:
 * `C oid C tid TUPLE2`.
 */
export function peekPickle(head: Buffer): Envelope | undefined {
  let at = 0;
  if (head[0] === PROTO) {
    const version = head[1];
    if (version === undefined) return undefined;
    if (version > MAX_PROTOCOL) throw new ProtocolError("bad-pickle", 1, "a protocol up to 5", String(version));
    at = 2;
  }
  if (head[at] !== MARK) {
    const cursor = new AtomCursor(head, at);
    if (!cursor.skipNoise()) return wantMore(head, MAX_ENVELOPE, "a message");
    at = cursor.at;
    if (head[at] !== MARK) throw unexpected(at, "the mark of a message", head[at]);
  }
  const envelope = peekMessage(head, at + 1);
  if (envelope === undefined || at > 0 || envelope.method !== REPLY) return envelope;
  return behindLeftovers(head, envelope);
}

const REPLY = ".reply";

/** What a new server sends to its clients (ZEO 5.1.2: asyncio/client.py). */
const TO_CLIENTS = new Set([
  REPLY,
  "info",
  "invalidateTransaction",
  "receiveBlobChunk",
  "receiveBlobStart",
  "receiveBlobStop",
]);

/**
 * ZEO 5.0 and 5.1 on Python 2 keep one cPickle pickler. A reply that is delayed (`vote` that waits, `undoInfo`, always
 * `tpc_finish`) can't be pickled when the call returns, and the beginning of the failed message, `( id flags '.reply'`,
 * stays in the pickler's buffer: it comes before the next message, whichever that is (asyncio/marshal.py of 5.0.4,
 * `encoder`). Python's unpickler takes what is on top in the end, so the message that counts is the last one.
 */
function behindLeftovers(head: Buffer, first: Envelope): Envelope | undefined {
  let envelope = first;
  for (;;) {
    const { argsAt } = envelope;
    if (head[argsAt] === undefined) return wantMore(head, MAX_ENVELOPE, "a value");
    if (envelope.method !== REPLY || head[argsAt] !== MARK) return envelope;
    if (head[argsAt + 1] === undefined) return wantMore(head, MAX_ENVELOPE, "a value");
    // A reply's value that is a tuple begins so too, but never with numbers and then one of these names.
    if (!mayBeLeftOver(head, argsAt)) return envelope;
    let inner: Envelope | undefined;
    try {
      inner = peekMessage(head, argsAt + 1);
    } catch (error) {
      if (error instanceof ProtocolError) return envelope;
      throw error;
    }
    if (inner === undefined) return undefined;
    if (!TO_CLIENTS.has(inner.method)) return envelope;
    envelope = inner;
  }
}

/** Id, flags and method, which begin at `at`, behind the message's mark. */
function peekMessage(head: Buffer, at: number): Envelope | undefined {
  return peekQuickly(head, at) ?? peekSlowly(head, at);
}

const skim = new Skim();

/** The shape of nearly all messages; undefined for any other, and when more bytes are needed. */
function peekQuickly(head: Buffer, from: number): Envelope | undefined {
  if (!skimMessage(head, from, skim)) return undefined;
  const { flags, nameAt: start, argsAt } = skim;
  return { id: skim.id, flags, method: nameAt(head, start, argsAt), argsAt };
}

interface Part {
  readonly id: MessageId;
  readonly kind: number;
  readonly start: number;
  readonly end: number;
}

function peekSlowly(head: Buffer, from: number): Envelope | undefined {
  const cursor = new AtomCursor(head, from);
  const parts: Part[] = [];
  const marks: number[] = [];
  for (;;) {
    const kind = cursor.next();
    if (kind === SHORT) return wantMore(head, MAX_ENVELOPE, "id, flags and method");
    if (kind !== OTHER) {
      if (cursor.at > MAX_ENVELOPE) throw tooLong();
      if ((kind === BYTES || kind === TEXT) && !cursor.isWhole()) {
        return wantMore(head, MAX_ENVELOPE, "id, flags and method");
      }
      parts.push({ id: cursor.id(kind), kind, start: cursor.start, end: cursor.start + cursor.length });
    } else if (!collapse(cursor, head, parts, marks)) {
      throw unexpected(cursor.at, "id, flags and method", head[cursor.at]);
    }
    if (cursor.at > MAX_ENVELOPE) throw tooLong();
    if (parts.length > MAX_ID_PARTS) throw new ProtocolError("bad-pickle", from, "a short id", "a long one");
    if (!cursor.skipNoise()) return wantMore(head, MAX_ENVELOPE, "id, flags and method");
    const code = head[cursor.at] as number;
    if (marks.length === 0 && parts.length === 3 && (code < TUPLE1 || code > TUPLE3)) {
      const [id, flags, method] = parts as [Part, Part, Part];
      if (flags.kind !== INTEGER || typeof flags.id !== "number") {
        throw new ProtocolError("bad-pickle", from, "flags", "another value");
      }
      if (method.kind !== BYTES && method.kind !== TEXT) {
        throw new ProtocolError("bad-pickle", from, "the name of a method", "another value");
      }
      const name =
        method.kind === BYTES
          ? nameAt(head, method.start, method.end)
          : head.toString("utf8", method.start, method.end);
      return { id: id.id, flags: flags.id, method: name, argsAt: cursor.at };
    }
  }
}

function tooLong(): ProtocolError {
  return new ProtocolError("bad-pickle", 0, `id, flags and method in ${MAX_ENVELOPE} bytes`, "more");
}

/** One opcode of a tuple id. False for any other opcode. */
function collapse(cursor: AtomCursor, head: Buffer, parts: Part[], marks: number[]): boolean {
  const code = head[cursor.at] as number;
  let count: number;
  switch (code) {
    case MARK:
      if (marks.length > 4) return false;
      marks.push(parts.length);
      cursor.at += 1;
      return true;
    case TUPLE: {
      const mark = marks.pop();
      if (mark === undefined) return false;
      count = parts.length - mark;
      break;
    }
    case EMPTY_TUPLE:
      count = 0;
      break;
    case TUPLE1:
    case TUPLE2:
    case TUPLE3:
      count = code - TUPLE1 + 1;
      if (parts.length - (marks.at(-1) ?? 0) < count) return false;
      break;
    default:
      return false;
  }
  const items = parts.splice(parts.length - count, count);
  parts.push({ id: idOfItems(items.map((item) => item.id)), kind: OTHER, start: 0, end: 0 });
  cursor.at += 1;
  return true;
}
