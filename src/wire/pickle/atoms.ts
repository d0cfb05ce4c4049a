import { ProtocolError } from "../errors.ts";
import type { MessageId } from "../codec.ts";
import { idOfBytes, idOfInteger, idOfText, NONE_ID } from "../message-id.ts";
import { lineInteger, longInteger } from "./numbers.ts";
import * as op from "./opcodes.ts";

// Names of this module: as properties of another one they are slow to read under vitest, by getters.
const {
  BINBYTES,
  BINBYTES8,
  BINFLOAT,
  BININT,
  BININT1,
  BININT2,
  BINPUT,
  BINSTRING,
  BINUNICODE,
  BINUNICODE8,
  FRAME,
  INT,
  LONG,
  LONG1,
  LONG_BINPUT,
  MEMOIZE,
  NEWFALSE,
  NEWTRUE,
  NONE,
  PUT,
  SHORT_BINBYTES,
  SHORT_BINSTRING,
  SHORT_BINUNICODE,
} = op;

/** What `AtomCursor.next` found. */
export const SHORT = 0;
/** Something that is no atom: a mark, a container, an end. The cursor stands on its opcode. */
export const OTHER = 1;
export const NOTHING = 2;
export const INTEGER = 3;
export const BYTES = 4;
export const TEXT = 5;
export const DOUBLE = 6;

export type AtomKind =
  | typeof SHORT
  | typeof OTHER
  | typeof NOTHING
  | typeof INTEGER
  | typeof BYTES
  | typeof TEXT
  | typeof DOUBLE;

/** An opcode that changes no value: a frame or a memo write. */
export function isNoise(code: number): boolean {
  return code === BINPUT || code === LONG_BINPUT || code === MEMOIZE || code === FRAME || code === PUT;
}

/** The bytes of a cursor that nobody uses. */
const FREE: Buffer = Buffer.alloc(0);

/**
 * Walks over the atoms of a pickle (None, booleans, numbers, byte strings, text) without a stack, a memo or an
 * allocation: enough for the flat beginnings and ends that matter on the hot path. Nothing is converted before it is asked
 * for. Whoever meets something else walks with `Outline`, or reads with `readPickle`.
 *
 * Of a byte string or text only the header must be there: `start + length` may lie beyond the bytes given.
 */
export class AtomCursor {
  bytes: Buffer;
  at: number;
  /** Of the last atom: where its content is if BYTES or TEXT, or the argument of an INTEGER or DOUBLE, */
  start = 0;
  length = 0;
  /** and the offset of its opcode. */
  opcodeAt = 0;

  constructor(bytes = FREE, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Claims a cursor that a hot function keeps, so that none is made for each message. It must be closed again. */
  open(bytes: Buffer, at: number): this {
    if (this.bytes !== FREE) throw new Error("this cursor is in use");
    this.bytes = bytes;
    this.at = at;
    return this;
  }

  close(): void {
    this.bytes = FREE;
  }

  /** Skips what changes no value: frames and memo writes. False when more bytes are needed. */
  skipNoise(): boolean {
    const { bytes } = this;
    for (;;) {
      switch (bytes[this.at]) {
        case undefined:
          return false;
        case BINPUT:
          this.at += 2;
          break;
        case LONG_BINPUT:
          this.at += 5;
          break;
        case MEMOIZE:
          this.at += 1;
          break;
        case FRAME:
          this.at += 9;
          break;
        case PUT: {
          const end = this.#lineEnd(this.at + 1);
          if (end < 0) return false;
          this.at = end + 1;
          break;
        }
        default:
          return true;
      }
    }
  }

  next(): AtomKind {
    if (!this.skipNoise()) return SHORT;
    const { bytes, at } = this;
    const code = bytes[at] as number;
    this.opcodeAt = at;
    switch (code) {
      case NONE:
        this.at = at + 1;
        return NOTHING;
      case NEWTRUE:
      case NEWFALSE:
        return this.#number(INTEGER, 0);
      case BININT1:
        return this.#number(INTEGER, 1);
      case BININT2:
        return this.#number(INTEGER, 2);
      case BININT:
        return this.#number(INTEGER, 4);
      case INT:
      case LONG: {
        const end = this.#lineEnd(at + 1);
        return end < 0 ? SHORT : this.#number(INTEGER, end - at - 1, 1, 1);
      }
      case LONG1: {
        const length = bytes[at + 1];
        return length === undefined ? SHORT : this.#number(INTEGER, length, 2);
      }
      case BINFLOAT:
        return this.#number(DOUBLE, 8);
      case SHORT_BINSTRING:
      case SHORT_BINBYTES:
        return this.#content(BYTES, 1);
      case BINSTRING:
      case BINBYTES:
        return this.#content(BYTES, 4);
      case BINBYTES8:
        return this.#content(BYTES, 8);
      case SHORT_BINUNICODE:
        return this.#content(TEXT, 1);
      case BINUNICODE:
        return this.#content(TEXT, 4);
      case BINUNICODE8:
        return this.#content(TEXT, 8);
      default:
        return OTHER;
    }
  }

  /** The last atom, of kind BYTES or TEXT, is there to its end. */
  isWhole(): boolean {
    return this.start + this.length <= this.bytes.length;
  }

  /** The last atom, an INTEGER or a DOUBLE; False and True are 0 and 1. */
  number(): number | bigint {
    const { bytes, start, length } = this;
    switch (bytes[this.opcodeAt]) {
      case NEWTRUE:
        return 1;
      case NEWFALSE:
        return 0;
      case BININT1:
        return bytes[start] as number;
      case BININT2:
        return bytes.readUInt16LE(start);
      case BININT:
        return bytes.readInt32LE(start);
      case LONG1:
        return longInteger(bytes, start, length);
      case BINFLOAT:
        return bytes.readDoubleBE(start);
      default:
        return lineInteger(bytes, start, length);
    }
  }

  /** The last atom as an id. The content must be whole. */
  id(kind: AtomKind): MessageId {
    switch (kind) {
      case INTEGER:
      case DOUBLE:
        return idOfInteger(this.number());
      case BYTES:
        return idOfBytes(this.bytes.subarray(this.start, this.start + this.length));
      case TEXT:
        return idOfText(this.bytes.toString("utf8", this.start, this.start + this.length));
      default:
        return NONE_ID;
    }
  }

  #content(kind: typeof BYTES | typeof TEXT, width: 1 | 4 | 8): AtomKind {
    const { bytes, at } = this;
    const start = at + 1 + width;
    if (start > bytes.length) return SHORT;
    this.start = start;
    if (width === 1) this.length = bytes[at + 1] as number;
    else if (width === 4) this.length = bytes.readUInt32LE(at + 1);
    else {
      const high = bytes.readUInt32LE(at + 5);
      if (high > 0x1fffff) throw new ProtocolError("bad-pickle", at + 1, "a length below 2^53", "a longer one");
      this.length = high * 2 ** 32 + bytes.readUInt32LE(at + 1);
    }
    this.at = start + this.length;
    return kind;
  }

  /** The argument has `length` bytes, `before` bytes behind the opcode's offset, and `behind` bytes follow. */
  #number(kind: typeof INTEGER | typeof DOUBLE, length: number, before = 1, behind = 0): AtomKind {
    const start = this.at + before;
    const end = start + length + behind;
    if (end > this.bytes.length) return SHORT;
    this.start = start;
    this.length = length;
    this.at = end;
    return kind;
  }

  /** Offset of the line feed, or -1. */
  #lineEnd(from: number): number {
    return this.bytes.indexOf(0x0a, from);
  }
}
