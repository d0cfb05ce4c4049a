import type { Envelope, MessageId, StoreHead } from "../codec.ts";
import { MAX_HEAD } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import { ID_BYTES } from "../ids.ts";
import { idOfItems, idOfPair } from "../message-id.ts";
import { nameAt } from "../names.ts";
import { AtomCursor, BYTES, INTEGER, NOTHING, OTHER, SHORT, TEXT } from "./atoms.ts";
import { findMemo } from "./memo.ts";
import * as op from "./opcodes.ts";

/** Id, flags and method fit in so many bytes, so that a store's head fits in `MAX_HEAD`. */
const MAX_ENVELOPE = MAX_HEAD / 2;
/** An id of more parts is none that a peer uses. */
const MAX_ID_PARTS = 8;

/** Calls that name an object but bring no data. */
const WITHOUT_DATA = new Set(["deleteObject", "checkCurrentSerialInTransaction"]);

const cursor = new AtomCursor();

function unexpected(at: number, expected: string, code: number | undefined): ProtocolError {
  return new ProtocolError("bad-pickle", at, expected, code === undefined ? "the end" : `opcode 0x${code.toString(16)}`);
}

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
  if (head[0] === op.PROTO) {
    const version = head[1];
    if (version === undefined) return undefined;
    if (version > MAX_PROTOCOL) throw new ProtocolError("bad-pickle", 1, "a protocol up to 5", String(version));
    at = 2;
  }
  if (head[at] !== op.MARK) {
    cursor.reset(head, at);
    if (!cursor.skipNoise()) return wantMore(head, MAX_ENVELOPE, "a message");
    at = cursor.at;
    if (head[at] !== op.MARK) throw unexpected(at, "the mark of a message", head[at]);
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

/** The opcodes that a message's id begins with. */
const ID_OPCODES = new Set<number | undefined>([op.BININT1, op.BININT2, op.BININT, op.INT, op.MARK]);

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
    if (envelope.method !== REPLY || head[argsAt] !== op.MARK) return envelope;
    if (head[argsAt + 1] === undefined) return wantMore(head, MAX_ENVELOPE, "a value");
    // A reply's value that is a tuple begins so too, but never with numbers and then one of these names.
    if (!ID_OPCODES.has(head[argsAt + 1])) return envelope;
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

/** The bytes of an oid or tid with its opcode and length. */
const SHORT_ID = 2 + ID_BYTES;

/**
 * The shape of nearly all messages: a small id or a tuple of oid and tid, a flag of one or two bytes, a short name, and
 * no memo. Undefined for any other, and when more bytes are needed.
 */
function peekQuickly(head: Buffer, from: number): Envelope | undefined {
  let id: MessageId;
  let at: number;
  if (head[from] === op.BININT1) {
    id = head[from + 1] ?? 0;
    at = from + 2;
  } else {
    const first = head[from] === op.MARK ? from + 1 : from;
    const close = first + SHORT_ID * 2;
    if (head[close] !== (first > from ? op.TUPLE : op.TUPLE2)) return undefined;
    if (!isShortId(head, first) || !isShortId(head, first + SHORT_ID)) return undefined;
    id = idOfPair(head, first + 2, head, first + SHORT_ID + 2);
    at = close + 1;
  }
  let flags = -1;
  switch (head[at]) {
    case op.BININT1:
      flags = head[at + 1] ?? -1;
      at += 2;
      break;
    case op.NEWTRUE:
      flags = 1;
      at += 1;
      break;
    case op.NEWFALSE:
      flags = 0;
      at += 1;
      break;
    default:
  }
  if (flags < 0) return undefined;
  let start = 0;
  let end = 0;
  if (head[at] === op.SHORT_BINSTRING) {
    start = at + 2;
    end = start + (head[at + 1] ?? MAX_HEAD);
  } else if (head[at] === op.BINUNICODE && head[at + 2] === 0 && head[at + 3] === 0 && head[at + 4] === 0) {
    start = at + 5;
    end = start + (head[at + 1] as number);
  }
  const code = start > 0 ? head[end] : undefined;
  if (code === undefined || isNoise(code) || (code >= op.TUPLE1 && code <= op.TUPLE3)) return undefined;
  return { id, flags, method: nameAt(head, start, end), argsAt: end };
}

function isShortId(head: Buffer, at: number): boolean {
  return (head[at] === op.SHORT_BINBYTES || head[at] === op.SHORT_BINSTRING) && head[at + 1] === ID_BYTES;
}

const { MAX_PROTOCOL } = op;

function isNoise(code: number): boolean {
  return code === op.BINPUT || code === op.LONG_BINPUT || code === op.MEMOIZE || code === op.FRAME || code === op.PUT;
}

interface Part {
  readonly id: MessageId;
  readonly kind: number;
  readonly start: number;
  readonly end: number;
}

function peekSlowly(head: Buffer, from: number): Envelope | undefined {
  cursor.reset(head, from);
  const parts: Part[] = [];
  const marks: number[] = [];
  for (;;) {
    const kind = cursor.next();
    if (kind === SHORT) return wantMore(head, MAX_ENVELOPE, "id, flags and method");
    if (kind !== OTHER) {
      if ((kind === BYTES || kind === TEXT) && !cursor.isWhole()) {
        if (cursor.at > MAX_ENVELOPE) throw tooLong();
        return wantMore(head, MAX_ENVELOPE, "id, flags and method");
      }
      parts.push({ id: cursor.id(kind), kind, start: cursor.start, end: cursor.start + cursor.length });
    } else if (!collapse(head, parts, marks)) {
      throw unexpected(cursor.at, "id, flags and method", head[cursor.at]);
    }
    if (cursor.at > MAX_ENVELOPE) throw tooLong();
    if (parts.length > MAX_ID_PARTS) throw new ProtocolError("bad-pickle", from, "a short id", "a long one");
    if (!cursor.skipNoise()) return wantMore(head, MAX_ENVELOPE, "id, flags and method");
    const code = head[cursor.at] as number;
    if (marks.length === 0 && parts.length === 3 && (code < op.TUPLE1 || code > op.TUPLE3)) {
      const [id, flags, method] = parts as [Part, Part, Part];
      if (flags.kind !== INTEGER || typeof flags.id !== "number") {
        throw new ProtocolError("bad-pickle", from, "flags", "another value");
      }
      if (method.kind !== BYTES && method.kind !== TEXT) {
        throw new ProtocolError("bad-pickle", from, "the name of a method", "another value");
      }
      const name =
        method.kind === BYTES ? nameAt(head, method.start, method.end) : head.toString("utf8", method.start, method.end);
      return { id: id.id, flags: flags.id, method: name, argsAt: cursor.at };
    }
  }
}

function tooLong(): ProtocolError {
  return new ProtocolError("bad-pickle", 0, `id, flags and method in ${MAX_ENVELOPE} bytes`, "more");
}

/** One opcode of a tuple id. False for any other opcode. */
function collapse(head: Buffer, parts: Part[], marks: number[]): boolean {
  const code = head[cursor.at] as number;
  let count: number;
  switch (code) {
    case op.MARK:
      if (marks.length > 4) return false;
      marks.push(parts.length);
      cursor.at += 1;
      return true;
    case op.TUPLE: {
      const mark = marks.pop();
      if (mark === undefined) return false;
      count = parts.length - mark;
      break;
    }
    case op.EMPTY_TUPLE:
      count = 0;
      break;
    case op.TUPLE1:
    case op.TUPLE2:
    case op.TUPLE3:
      count = code - op.TUPLE1 + 1;
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

/**
 * Where the oid of a store is, what its serial is, and where its data ends. Calls without data
 * (`deleteObject`, `checkCurrentSerialInTransaction`): `restAt` is right behind the serial.
 */
export function storeHeadPickle(head: Buffer, envelope: Envelope): StoreHead | undefined {
  const more = (): undefined => wantMore(head, MAX_HEAD, "a store's oid and serial");
  cursor.reset(head, envelope.argsAt);
  if (!cursor.skipNoise()) return more();
  // Four and more arguments, and all of protocol 1, begin with a mark.
  if (head[cursor.at] === op.MARK) cursor.at += 1;

  const oid = cursor.next();
  if (oid === SHORT) return more();
  const oidAt = cursor.start;
  if (oid !== BYTES || cursor.length !== ID_BYTES) throw unexpected(cursor.opcodeAt, "an oid", head[cursor.opcodeAt]);
  if (!cursor.isWhole()) return more();

  let serial: StoreHead["serial"];
  let serialAt = 0;
  switch (cursor.next()) {
    case SHORT:
      return more();
    case NOTHING:
      serial = "none";
      break;
    case BYTES:
      if (cursor.length !== ID_BYTES) throw unexpected(cursor.opcodeAt, "a serial", head[cursor.opcodeAt]);
      if (!cursor.isWhole()) return more();
      serialAt = cursor.start;
      serial = isZero(head, serialAt) ? "zero" : "set";
      break;
    default: {
      // With a memo, the root object's oid and the serial of eight zeros can be one and the same string.
      const found = findMemo(head, cursor.at);
      if (found === "short") return more();
      if (found === undefined || found.length !== ID_BYTES) throw unexpected(cursor.at, "a serial", head[cursor.at]);
      serial = isZero(head, found.start) ? "zero" : "set";
      cursor.at = found.next;
    }
  }
  if (WITHOUT_DATA.has(envelope.method)) return { oidAt, serial, restAt: cursor.at };

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

function isZero(bytes: Buffer, at: number): boolean {
  for (let i = at; i < at + ID_BYTES; i++) if (bytes[i] !== 0) return false;
  return true;
}
