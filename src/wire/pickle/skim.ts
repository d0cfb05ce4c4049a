import { ID_BYTES } from "../ids.ts";
import type { Skim, StoreSkim } from "../skim.ts";
import { littleWordAt } from "../words.ts";
import { isNoise } from "./atoms.ts";
import * as op from "./opcodes.ts";

// Names of this module: as properties of another one they are slow to read under vitest, by getters.
const {
  BINBYTES,
  BININT,
  BININT1,
  BININT2,
  BINSTRING,
  BINUNICODE,
  INT,
  MARK,
  MAX_PROTOCOL,
  NEWFALSE,
  NEWTRUE,
  NONE,
  PROTO,
  SHORT_BINBYTES,
  SHORT_BINSTRING,
  TUPLE,
  TUPLE1,
  TUPLE2,
  TUPLE3,
} = op;

/** The bytes of an oid or tid with its opcode and length. */
const SHORT_ID = 2 + ID_BYTES;

/** See `Codec.skim`. What is read behind `end` by mistake leads to an offset behind it, and so to false. */
export function skimPickle(bytes: Buffer, from: number, end: number, into: Skim): boolean {
  const hasHeader = bytes[from] === PROTO;
  if (hasHeader && (bytes[from + 1] as number) > MAX_PROTOCOL) return false;
  const at = hasHeader ? from + 2 : from;
  if (bytes[at] !== MARK || !skimMessage(bytes, at + 1, into) || into.argsAt >= end) return false;
  return hasHeader || bytes[into.nameAt] !== DOT || !mayBeLeftOver(bytes, into.argsAt);
}

/** The first character of the name of a reply. */
const DOT = 0x2e;

/** Does another message begin where the value of one should stand? (The opcodes that a message's id begins with.) */
export function mayBeLeftOver(bytes: Buffer, at: number): boolean {
  const code = bytes[at + 1];
  return (
    bytes[at] === MARK && (code === BININT1 || code === BININT2 || code === BININT || code === INT || code === MARK)
  );
}

/**
 * The shape of nearly all messages, from behind the message's mark: a small id or a tuple of oid and tid, a flag, a short
 * name, and no memo.
 * @returns false for any other one, and when more bytes are needed
 */
export function skimMessage(bytes: Buffer, from: number, into: Skim): boolean {
  let at = from;
  switch (bytes[from]) {
    case BININT1:
      into.setInteger(bytes[from + 1] ?? 0);
      at += 2;
      break;
    case BININT2:
      into.setInteger((bytes[from + 1] ?? 0) + (bytes[from + 2] ?? 0) * 256);
      at += 3;
      break;
    case BININT:
      if (from + 5 > bytes.length) return false;
      into.setInteger(littleWordAt(bytes, from + 1));
      at += 5;
      break;
    case MARK:
    case SHORT_BINBYTES:
    case SHORT_BINSTRING: {
      const first = bytes[from] === MARK ? from + 1 : from;
      const close = first + SHORT_ID * 2;
      if (bytes[close] !== (first > from ? TUPLE : TUPLE2)) return false;
      if (!isShortId(bytes, first) || !isShortId(bytes, first + SHORT_ID)) return false;
      into.setPair(bytes, first + 2, first + SHORT_ID + 2);
      at = close + 1;
      break;
    }
    default:
      return false;
  }
  switch (bytes[at]) {
    case BININT1:
      into.flags = bytes[at + 1] ?? -1;
      at += 2;
      break;
    case NEWTRUE:
      into.flags = 1;
      at += 1;
      break;
    case NEWFALSE:
      into.flags = 0;
      at += 1;
      break;
    case INT:
      // `I00` and `I01` with a line feed: False and True of protocol 1.
      if (bytes[at + 1] !== 0x30 || bytes[at + 3] !== 0x0a) return false;
      into.flags = (bytes[at + 2] ?? 0) - 0x30;
      if (into.flags < 0 || into.flags > 1) return false;
      at += 4;
      break;
    default:
      return false;
  }
  if (bytes[at] === BINUNICODE && bytes[at + 2] === 0 && bytes[at + 3] === 0 && bytes[at + 4] === 0) {
    into.nameAt = at + 5;
  } else if (bytes[at] === SHORT_BINSTRING) {
    into.nameAt = at + 2;
  } else {
    return false;
  }
  into.argsAt = into.nameAt + (bytes[at + 1] ?? 0);
  const code = bytes[into.argsAt];
  return code !== undefined && into.flags >= 0 && !isNoise(code) && !(code >= TUPLE1 && code <= TUPLE3);
}

function isShortId(bytes: Buffer, at: number): boolean {
  return (bytes[at] === SHORT_BINBYTES || bytes[at] === SHORT_BINSTRING) && bytes[at + 1] === ID_BYTES;
}

/** See `Codec.skimStore`: `( oid serial data`. */
export function skimStorePickle(bytes: Buffer, argsAt: number, end: number, into: StoreSkim): boolean {
  const oid = argsAt + 1;
  if (bytes[argsAt] !== MARK || !isShortId(bytes, oid)) return false;
  into.oidAt = oid + 2;
  let at = oid + SHORT_ID;
  if (bytes[at] === NONE) {
    into.serial = "none";
    at += 1;
  } else if (isShortId(bytes, at)) {
    into.setSerial(bytes, at + 2);
    at += SHORT_ID;
  } else {
    return false;
  }
  switch (bytes[at]) {
    case NONE:
      at += 1;
      break;
    case SHORT_BINBYTES:
    case SHORT_BINSTRING:
      at += 2 + (bytes[at + 1] as number);
      break;
    case BINBYTES:
    case BINSTRING:
    case BINUNICODE: {
      const length = littleWordAt(bytes, at + 1);
      if (length < 0) return false;
      at += 5 + length;
      break;
    }
    default:
      return false;
  }
  into.restAt = at;
  return at < end;
}
