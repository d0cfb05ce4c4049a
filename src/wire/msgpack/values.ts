import { Int64BE, Uint64BE } from "int64-buffer";
import { createCodec, encode } from "msgpack-lite";
import { MAX_DECODED, MAX_DEPTH, PRICE_BUFFER, PRICE_MAP, PRICE_PLAIN, PRICE_TUPLE } from "../bounds.ts";
import type { Dialect } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import type { Value } from "../value.ts";
import { PyGlobal, PyObject, PyTuple, setEntry } from "../value.ts";
import { stepsFor, Work } from "../work.ts";
import * as token from "./tokens.ts";
import { TokenCursor } from "./tokens.ts";

/** Of whoever sets no other bound: a price is paid for each value, too. */
const ANY_WORK = 64 * 1024 * 1024;

/**
 * The value at `at`, which must end with the bytes. Arrays come as lists. Byte strings are views into `bytes`.
 *
 * Raises `ProtocolError` (`bad-msgpack`) for bytes that are no msgpack, that nest too deep, whose value would take too
 * much memory or more work than `work` allows, or that hold an extension: no ZEO peer has any.
 */
export function readMsgpack(bytes: Buffer, at: number, work = new Work("bad-msgpack", ANY_WORK)): Value {
  const reader = new ValueReader(bytes, at, work);
  const value = reader.read(0);
  const rest = bytes.length - reader.at;
  if (rest > 0) throw new ProtocolError("bad-msgpack", reader.at, "the end", `${rest} more bytes`);
  return value;
}

class ValueReader {
  readonly #cursor: TokenCursor;
  readonly #work: Work;
  #spent = 0;

  constructor(bytes: Buffer, at: number, work: Work) {
    this.#cursor = new TokenCursor(bytes, at);
    this.#work = work;
  }

  get at(): number {
    return this.#cursor.at;
  }

  /** The next value. Recursion is bounded by `MAX_DEPTH`. */
  read(depth: number): Value {
    const cursor = this.#cursor;
    const kind = cursor.next();
    const { length } = cursor;
    switch (kind) {
      case token.NIL:
        this.#spend(PRICE_PLAIN);
        return null;
      case token.BOOLEAN:
        this.#spend(PRICE_PLAIN);
        return cursor.int === 1;
      case token.INTEGER:
      case token.FLOAT:
        this.#spend(PRICE_PLAIN);
        return cursor.int;
      case token.BYTES:
        this.#spend(PRICE_BUFFER);
        return this.#content();
      case token.TEXT:
        this.#spend(PRICE_PLAIN, stepsFor(length));
        return this.#content().toString("utf8");
      case token.ARRAY: {
        this.#begin(depth, length, PRICE_TUPLE);
        const items: Value[] = [];
        while (items.length < length) items.push(this.read(depth + 1));
        return items;
      }
      case token.MAP: {
        this.#begin(depth, length * 2, PRICE_MAP);
        const map = new Map<Value, Value>();
        for (let left = length; left > 0; left--) {
          const key = this.read(depth + 1);
          setEntry(map, key, this.read(depth + 1), this.#work);
        }
        return map;
      }
      case token.EXTENSION:
        throw this.#error("no extension", "one");
      case token.SHORT:
        throw this.#error("a value", "the end");
    }
  }

  #content(): Buffer {
    const { bytes, start, length } = this.#cursor;
    if (!this.#cursor.isWhole()) throw this.#error("a value", "the end");
    return bytes.subarray(start, start + length);
  }

  /** An array or a map with so many values: nothing is made before that can be. */
  #begin(depth: number, values: number, price: number): void {
    this.#spend(price);
    if (depth >= MAX_DEPTH) throw this.#error(`at most ${MAX_DEPTH} levels`, "more");
    const { bytes, at } = this.#cursor;
    // Each takes a byte at least.
    if (values > bytes.length - at) throw this.#error(`${values} values`, `${bytes.length - at} bytes`);
  }

  #spend(price: number, steps = 1): void {
    this.#work.spend(steps, this.#cursor.tokenAt);
    this.#spent += price;
    if (this.#spent > MAX_DECODED) throw this.#error(`a value of at most ${MAX_DECODED} bytes in memory`, "more");
  }

  #error(expected: string, got: string): ProtocolError {
    return new ProtocolError("bad-msgpack", this.#cursor.tokenAt, expected, got);
  }
}

/** Writes: msgpack-lite. Maps stay maps, and 64-bit integers are objects (else they lose digits). */
const codec = createCodec({ usemap: true, int64: true });

const UINT64 = 1n << 64n;
const INT64 = 1n << 63n;

/** What msgpack-lite writes as Python's `packb(use_bin_type=True)` does. */
function toEncodable(value: Value): unknown {
  if (value === null) return null;
  switch (typeof value) {
    case "boolean":
    case "string":
      return value;
    case "number":
      if (!Number.isSafeInteger(value) || (value >= -0x80000000 && value <= 0xffffffff)) return value;
      return toEncodable(BigInt(value));
    case "bigint":
      if (value >= -0x80000000n && value <= 0xffffffffn) return Number(value);
      if (value >= UINT64 || value < -INT64) throw new RangeError("msgpack has no integers above 64 bits");
      return value > 0n ? new Uint64BE(value.toString(10), 10) : new Int64BE(value.toString(10), 10);
    default:
  }
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof PyTuple) return value.items.map(toEncodable);
  if (value instanceof PyGlobal || value instanceof PyObject) throw new TypeError("msgpack has no instances");
  if (value instanceof Map) {
    return new Map(
      [...(value as ReadonlyMap<Value, Value>)].map(([key, item]) => [toEncodable(key), toEncodable(item)]),
    );
  }
  return (value as readonly Value[]).map(toEncodable);
}

/**
 * A whole message. Replies carry a number as flags, all else False and True (asyncio/server.py, asyncio/base.py of
 * ZEO 5 and 6). Names of a Python 2 peer are its `str`, so bin.
 */
export function writeMsgpack(dialect: Dialect, id: Value, flags: number, method: string, args: Value): Buffer {
  const flag = method !== ".reply" && (flags === 0 || flags === 1) ? flags === 1 : flags;
  const name = dialect === "msgpack-py2" ? Buffer.from(method, "utf8") : method;
  return encode([toEncodable(id), flag, name, toEncodable(args)], { codec });
}
