import { Int64BE, Uint64BE } from "int64-buffer";
import { createCodec, decode, encode } from "msgpack-lite";
import type { Dialect } from "../codec.ts";
import { ProtocolError } from "../errors.ts";
import type { Value } from "../value.ts";
import { PyGlobal, PyObject, PyTuple } from "../value.ts";
import { scanMsgpack } from "./scan.ts";
import { exactly } from "./tokens.ts";

/*
 * msgpack-lite between `Value`s. Maps stay maps (else byte string keys become text and `__proto__` is one), and 64-bit
 * integers are objects (else they lose digits).
 */
const codec = createCodec({ usemap: true, int64: true });

/**
 * The value at `at`, which must end with the bytes. Arrays come as lists. Byte strings are copies.
 *
 * Raises `ProtocolError` (`bad-msgpack`) for bytes that are no msgpack, that nest too deep, whose value would take too
 * much memory, or that hold an extension: no ZEO peer has any.
 */
export function readMsgpack(bytes: Buffer, at: number): Value {
  const end = scanMsgpack(bytes, at, true);
  if (end !== bytes.length) throw new ProtocolError("bad-msgpack", end, "the end", `${bytes.length - end} more bytes`);
  return fromDecoded(decode(bytes.subarray(at), { codec }), at);
}

/** Recursion is bounded: the scan has bounded the depth. */
function fromDecoded(decoded: unknown, at: number): Value {
  if (decoded === null) return null;
  switch (typeof decoded) {
    case "boolean":
    case "number":
    case "string":
      return decoded;
    default:
  }
  if (Buffer.isBuffer(decoded)) return decoded;
  if (Array.isArray(decoded)) return decoded.map((item: unknown) => fromDecoded(item, at));
  if (decoded instanceof Map) {
    const map = new Map<Value, Value>();
    for (const [key, item] of decoded as Map<unknown, unknown>) map.set(fromDecoded(key, at), fromDecoded(item, at));
    return map;
  }
  if (Uint64BE.isUint64BE(decoded) || Int64BE.isInt64BE(decoded)) return exactly(BigInt(decoded.toString(10)));
  throw new ProtocolError("bad-msgpack", at, "no extension", "one");
}

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
