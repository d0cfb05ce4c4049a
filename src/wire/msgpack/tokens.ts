import { ProtocolError } from "../errors.ts";

/** What `TokenCursor.next` found. */
export const SHORT = 0;
export const NIL = 1;
export const BOOLEAN = 2;
export const INTEGER = 3;
export const FLOAT = 4;
export const BYTES = 5;
export const TEXT = 6;
export const ARRAY = 7;
export const MAP = 8;
export const EXTENSION = 9;

export type TokenKind =
  | typeof SHORT
  | typeof NIL
  | typeof BOOLEAN
  | typeof INTEGER
  | typeof FLOAT
  | typeof BYTES
  | typeof TEXT
  | typeof ARRAY
  | typeof MAP
  | typeof EXTENSION;

const INT64 = 0xd3;

/** The bytes of a cursor that nobody uses. */
const FREE: Buffer = Buffer.alloc(0);

/**
 * Walks over the tokens of msgpack bytes without an allocation: an array or map is one token, its items follow.
 *
 * Of a byte string, text or extension only the header must be there: `start + length` may lie beyond the bytes given.
 */
export class TokenCursor {
  bytes: Buffer;
  at: number;
  /** Of the last token: its value if INTEGER or BOOLEAN (False and True are 0 and 1) or FLOAT, but for wide ones. */
  #int = 0;
  /** Of a 64-bit integer: where it is. Nothing is made of it before it is asked for. */
  #wideAt = -1;
  /** Where its content is if BYTES, TEXT or EXTENSION; `length` is also the items of an ARRAY, the pairs of a MAP, */
  start = 0;
  length = 0;
  /** and the offset of its first byte. */
  tokenAt = 0;

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

  next(): TokenKind {
    const { bytes, at } = this;
    this.tokenAt = at;
    const code = bytes[at];
    if (code === undefined) return SHORT;
    if (code < 0x80) return this.#number(code, 1);
    if (code < 0x90) return this.#header(MAP, code & 0x0f, 1);
    if (code < 0xa0) return this.#header(ARRAY, code & 0x0f, 1);
    if (code < 0xc0) return this.#content(TEXT, code & 0x1f, 1);
    if (code >= 0xe0) return this.#number(code - 0x100, 1);
    const size = FIXED[code - 0xc0] as number;
    if (at + size > bytes.length) return SHORT;
    switch (code) {
      case 0xc0:
        this.at = at + 1;
        return NIL;
      case 0xc2:
      case 0xc3:
        this.#wideAt = -1;
        this.#int = code - 0xc2;
        this.at = at + 1;
        return BOOLEAN;
      case 0xc4:
        return this.#content(BYTES, bytes[at + 1] as number, 2);
      case 0xc5:
        return this.#content(BYTES, bytes.readUInt16BE(at + 1), 3);
      case 0xc6:
        return this.#content(BYTES, bytes.readUInt32BE(at + 1), 5);
      // The type of an extension is the byte before its content.
      case 0xc7:
        return this.#content(EXTENSION, bytes[at + 1] as number, 3);
      case 0xc8:
        return this.#content(EXTENSION, bytes.readUInt16BE(at + 1), 4);
      case 0xc9:
        return this.#content(EXTENSION, bytes.readUInt32BE(at + 1), 6);
      case 0xca:
        this.#wideAt = -1;
        this.#int = bytes.readFloatBE(at + 1);
        this.at = at + 5;
        return FLOAT;
      case 0xcb:
        this.#wideAt = -1;
        this.#int = bytes.readDoubleBE(at + 1);
        this.at = at + 9;
        return FLOAT;
      case 0xcc:
        return this.#number(bytes[at + 1] as number, 2);
      case 0xcd:
        return this.#number(bytes.readUInt16BE(at + 1), 3);
      case 0xce:
        return this.#number(bytes.readUInt32BE(at + 1), 5);
      case 0xcf:
        return this.#wide();
      case 0xd0:
        return this.#number(bytes.readInt8(at + 1), 2);
      case 0xd1:
        return this.#number(bytes.readInt16BE(at + 1), 3);
      case 0xd2:
        return this.#number(bytes.readInt32BE(at + 1), 5);
      case 0xd3:
        return this.#wide();
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#content(EXTENSION, 1 << (code - 0xd4), 2);
      case 0xd9:
        return this.#content(TEXT, bytes[at + 1] as number, 2);
      case 0xda:
        return this.#content(TEXT, bytes.readUInt16BE(at + 1), 3);
      case 0xdb:
        return this.#content(TEXT, bytes.readUInt32BE(at + 1), 5);
      case 0xdc:
        return this.#header(ARRAY, bytes.readUInt16BE(at + 1), 3);
      case 0xdd:
        return this.#header(ARRAY, bytes.readUInt32BE(at + 1), 5);
      case 0xde:
        return this.#header(MAP, bytes.readUInt16BE(at + 1), 3);
      case 0xdf:
        return this.#header(MAP, bytes.readUInt32BE(at + 1), 5);
      default:
        throw new ProtocolError("bad-msgpack", at, "a msgpack value", `0x${code.toString(16)}`);
    }
  }

  /** The last token, of kind BYTES, TEXT or EXTENSION, is there to its end. */
  isWhole(): boolean {
    return this.start + this.length <= this.bytes.length;
  }

  /** The last token's value: INTEGER, BOOLEAN (False and True are 0 and 1) or FLOAT. */
  get int(): number | bigint {
    if (this.#wideAt < 0) return this.#int;
    const isSigned = this.bytes[this.#wideAt] === INT64;
    return isSigned ? int64(this.bytes, this.#wideAt + 1) : uint64(this.bytes, this.#wideAt + 1);
  }

  #wide(): typeof INTEGER {
    this.#wideAt = this.at;
    this.at += 9;
    return INTEGER;
  }

  #number(value: number, size: number): typeof INTEGER {
    this.#wideAt = -1;
    this.#int = value;
    this.at += size;
    return INTEGER;
  }

  #header(kind: typeof ARRAY | typeof MAP, length: number, size: number): TokenKind {
    this.length = length;
    this.at += size;
    return kind;
  }

  #content(kind: typeof BYTES | typeof TEXT | typeof EXTENSION, length: number, size: number): TokenKind {
    this.start = this.at + size;
    this.length = length;
    this.at = this.start + length;
    return kind;
  }
}

/** Above this high word an integer may be none that a double holds exactly. */
const SAFE_HIGH = 0x1fffff;

/** A number where a double holds it exactly. */
function uint64(bytes: Buffer, at: number): number | bigint {
  const high = bytes.readUInt32BE(at);
  return high <= SAFE_HIGH ? high * 2 ** 32 + bytes.readUInt32BE(at + 4) : bytes.readBigUInt64BE(at);
}

function int64(bytes: Buffer, at: number): number | bigint {
  const high = bytes.readInt32BE(at);
  const value = high * 2 ** 32 + bytes.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : bytes.readBigInt64BE(at);
}

/** The bytes of a token without its content, for 0xc0 to 0xdf. */
const FIXED = [1, 1, 1, 1, 2, 3, 5, 3, 4, 6, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 2, 2, 2, 2, 2, 2, 3, 5, 3, 5, 3, 5];
