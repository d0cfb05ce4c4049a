import type { Dialect } from "../codec.ts";
import type { Value } from "../value.ts";
import { PyGlobal, PyObject, PyTuple } from "../value.ts";
import { longBytes } from "./numbers.ts";
import * as op from "./opcodes.ts";

export type PickleDialect = Exclude<Dialect, "msgpack" | "msgpack-py2">;

/** How one writer's pickles look. Checked on cPickle 2.7, zodbpickle 2.6 (Python 2.7, 3.7, 3.12) and pickle 3.6. */
export interface PickleStyle {
  /** The bytes before the first value. */
  readonly header: Buffer;
  /** Python 2: names are byte strings, byte strings are `U`/`T`, integers above 31 bits are decimal text. */
  readonly python2: boolean;
  /** Protocol 2 and later: short tuples without a mark, booleans of one byte, binary long integers. */
  readonly binary2: boolean;
  /** A one-way message of the server has the flag True, else 1. */
  readonly oneWayTrue: boolean;
}

const PROTOCOL_3 = Buffer.from([op.PROTO, 3]);
const NO_HEADER = Buffer.alloc(0);

export const STYLES: Readonly<Record<PickleDialect, PickleStyle>> = {
  pickle1: { header: NO_HEADER, python2: true, binary2: false, oneWayTrue: false },
  "pickle1-zeo5": { header: NO_HEADER, python2: true, binary2: false, oneWayTrue: true },
  "pickle3-py2": { header: PROTOCOL_3, python2: true, binary2: true, oneWayTrue: true },
  "pickle3-zeo4": { header: PROTOCOL_3, python2: false, binary2: true, oneWayTrue: false },
  pickle3: { header: PROTOCOL_3, python2: false, binary2: true, oneWayTrue: true },
};

/** Picklers write the items of lists and dictionaries in batches of so many. */
export const BATCH = 1000;

const MAX_INT32 = 0x7fffffff;
const MIN_INT32 = -0x80000000;
const MAX_INT64 = (1n << 63n) - 1n;
const MIN_INT64 = -(1n << 63n);

/**
 * Writes a pickle as the named writer does. No memo: all ZEO sides pickle in fast mode.
 *
 * Values map back as `readPickle` gives them: a Buffer is what the writer's `bytes` is (Python 2: str), a string is
 * unicode. A number without a fraction is an integer.
 */
export class PickleWriter {
  readonly #style: PickleStyle;
  #bytes: Buffer;
  #at = 0;

  constructor(style: PickleStyle, sizeHint = 256) {
    this.#style = style;
    this.#bytes = Buffer.allocUnsafe(sizeHint);
  }

  /** What was written, as a view. The writer must not be used any more. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  opcode(code: number): this {
    this.#reserve(1);
    this.#bytes[this.#at++] = code;
    return this;
  }

  raw(bytes: Buffer): this {
    this.#reserve(bytes.length);
    bytes.copy(this.#bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** A name (method, storage, dictionary key) as this writer's native `str`. */
  name(text: string): this {
    return this.#style.python2 ? this.#content(Buffer.from(text, "utf8")) : this.#text(text);
  }

  value(value: Value): this {
    if (value === null) return this.opcode(op.NONE);
    switch (typeof value) {
      case "boolean":
        return this.boolean(value);
      case "number":
        return Number.isSafeInteger(value) && !Object.is(value, -0) ? this.integer(value) : this.#double(value);
      case "bigint":
        return this.#bigInteger(value);
      case "string":
        return this.#text(value);
      default:
    }
    if (Buffer.isBuffer(value)) return this.#content(value);
    if (value instanceof PyTuple) return this.tuple(value.items);
    if (value instanceof PyGlobal) return this.#global(value);
    if (value instanceof PyObject) return this.#object(value);
    if (value instanceof Map) return this.#dictionary(value as ReadonlyMap<Value, Value>);
    return this.#list(value as readonly Value[]);
  }

  boolean(value: boolean): this {
    if (this.#style.binary2) return this.opcode(value ? op.NEWTRUE : op.NEWFALSE);
    return this.#line(op.INT, value ? "01" : "00");
  }

  integer(value: number): this {
    if (value > MAX_INT32 || value < MIN_INT32) return this.#bigInteger(BigInt(value));
    if (value < 0 || value > 0xffff) {
      this.opcode(op.BININT).#reserve(4);
      this.#at = this.#bytes.writeInt32LE(value, this.#at);
    } else if (value > 0xff) {
      this.opcode(op.BININT2).#reserve(2);
      this.#at = this.#bytes.writeUInt16LE(value, this.#at);
    } else {
      this.opcode(op.BININT1).opcode(value);
    }
    return this;
  }

  tuple(items: readonly Value[]): this {
    if (items.length === 0) return this.opcode(op.EMPTY_TUPLE);
    const short = this.#style.binary2 && items.length <= 3;
    if (!short) this.opcode(op.MARK);
    for (const item of items) this.value(item);
    return this.opcode(short ? op.TUPLE1 + items.length - 1 : op.TUPLE);
  }

  #bigInteger(value: bigint): this {
    if (value >= BigInt(MIN_INT32) && value <= BigInt(MAX_INT32)) return this.integer(Number(value));
    if (this.#style.python2) {
      const isInt = value >= MIN_INT64 && value <= MAX_INT64;
      if (isInt) return this.#line(op.INT, value.toString());
      if (!this.#style.binary2) return this.#line(op.LONG, `${value}L`);
    }
    const bytes = longBytes(value);
    if (bytes.length <= 0xff) return this.opcode(op.LONG1).opcode(bytes.length).raw(bytes);
    return this.opcode(op.LONG4).#uint32(bytes.length).raw(bytes);
  }

  #double(value: number): this {
    this.opcode(op.BINFLOAT).#reserve(8);
    this.#at = this.#bytes.writeDoubleBE(value, this.#at);
    return this;
  }

  #text(text: string): this {
    const length = Buffer.byteLength(text, "utf8");
    this.opcode(op.BINUNICODE).#uint32(length).#reserve(length);
    this.#at += this.#bytes.write(text, this.#at, "utf8");
    return this;
  }

  #content(bytes: Buffer): this {
    const { python2 } = this.#style;
    if (bytes.length <= 0xff) this.opcode(python2 ? op.SHORT_BINSTRING : op.SHORT_BINBYTES).opcode(bytes.length);
    else this.opcode(python2 ? op.BINSTRING : op.BINBYTES).#uint32(bytes.length);
    return this.raw(bytes);
  }

  /** A single item has no mark; on Python 2 that holds for the last batch too, on Python 3 only for the whole. */
  #list(items: readonly Value[]): this {
    this.opcode(op.EMPTY_LIST);
    for (let done = 0; done < items.length;) {
      const batch = items.slice(done, done + BATCH);
      const alone = batch.length === 1 && (items.length === 1 || this.#style.python2);
      if (!alone) this.opcode(op.MARK);
      for (const item of batch) this.value(item);
      this.opcode(alone ? op.APPEND : op.APPENDS);
      done += batch.length;
    }
    return this;
  }

  /** A single entry has no mark. Behind a full batch comes another one, even if it is empty. */
  #dictionary(map: ReadonlyMap<Value, Value>): this {
    this.opcode(op.EMPTY_DICT);
    if (map.size === 0) return this;
    const entries = [...map];
    if (entries.length > 1) this.opcode(op.MARK);
    entries.forEach(([key, value], index) => {
      this.value(key).value(value);
      if ((index + 1) % BATCH === 0) this.opcode(op.SETITEMS).opcode(op.MARK);
    });
    return this.opcode(entries.length > 1 ? op.SETITEMS : op.SETITEM);
  }

  #global(value: PyGlobal): this {
    return this.#line(op.GLOBAL, `${value.module}\n${value.name}`);
  }

  #object(value: PyObject): this {
    this.value(value.callable).value(value.args).opcode(op.REDUCE);
    if (value.state !== undefined) this.value(value.state).opcode(op.BUILD);
    return this;
  }

  #line(code: number, text: string): this {
    this.opcode(code).#reserve(text.length + 1);
    this.#at += this.#bytes.write(`${text}\n`, this.#at, "latin1");
    return this;
  }

  #uint32(value: number): this {
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
    return this;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const bigger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + length));
    this.#bytes.copy(bigger, 0, 0, this.#at);
    this.#bytes = bigger;
  }
}

/** A whole message. */
export function writeMessage(style: PickleStyle, id: Value, flags: number, method: string, args: Value): Buffer {
  const writer = new PickleWriter(style).raw(style.header).opcode(op.MARK).value(id);
  writeFlags(writer, style, flags, method);
  return writer.name(method).value(args).opcode(op.TUPLE).opcode(op.STOP).finish();
}

/**
 * Replies carry a number. Calls carry False (ZODB3 3.10 and later, all clients; no server calls). One-way messages carry
 * 1 on ZODB3 and ZEO 4 (`callAsync` in zrpc/connection.py), True on ZEO 5 and 6 (asyncio/base.py).
 */
export function writeFlags(writer: PickleWriter, style: PickleStyle, flags: number, method: string): void {
  if (method === ".reply") writer.integer(flags);
  else if (flags === 0) writer.boolean(false);
  else if (flags === 1 && style.oneWayTrue) writer.boolean(true);
  else writer.integer(flags);
}
