import type { OidShape } from "../codec.ts";
import { ProtocolError, type ProtocolErrorCode } from "../errors.ts";
import { ID_BYTES } from "../ids.ts";
import { copyId } from "../packed.ts";
import { itemsOf } from "../value.ts";
import type { Value } from "../value.ts";
import * as op from "./opcodes.ts";
import type { PickleStyle } from "./writer.ts";
import { BATCH } from "./writer.ts";

// Names of this module: as properties of another one they are slow to read under vitest, by getters.
const {
  APPEND,
  APPENDS,
  BINBYTES,
  BINSTRING,
  BINUNICODE,
  EMPTY_LIST,
  EMPTY_TUPLE,
  MARK,
  SHORT_BINBYTES,
  SHORT_BINSTRING,
  TUPLE,
  TUPLE2,
} = op;

/** The least bytes of an oid in a pickle: opcode, length, content. */
const OID_COST = 2 + ID_BYTES;
const OID_COST_LONG = 5 + ID_BYTES;

/** Packed oids and the offset behind them. */
export interface OidList {
  readonly oids: Buffer;
  readonly end: number;
}

/**
 * Reads a list or tuple of oids at `at` in one pass, as ZEO servers write them: plain, or pairs of oid and version.
 * Undefined for any other way to write them (a memo, say): read those with `readPickle` and `packOids`.
 */
export function scanOids(bytes: Buffer, at: number): OidList | undefined {
  const end = bytes.length;
  let i = at;
  let batches: boolean;
  switch (bytes[i]) {
    case EMPTY_TUPLE:
      return { oids: Buffer.alloc(0), end: i + 1 };
    case EMPTY_LIST:
      batches = true;
      i += 1;
      break;
    case MARK:
      batches = false;
      i += 1;
      break;
    default:
      return undefined;
  }
  const oids = Buffer.allocUnsafe(Math.floor((end - i) / OID_COST) * ID_BYTES);
  let filled = 0;
  /** Inside a mark; and how much of `oids` has reached the list. */
  let open = !batches;
  let listed = 0;
  while (i < end) {
    const code = bytes[i] as number;
    if (open ? code === (batches ? APPENDS : TUPLE) : code === APPEND && filled === listed + ID_BYTES) {
      i += 1;
      listed = filled;
      if (!batches) return { oids: oids.subarray(0, filled), end: i };
      open = false;
    } else if (!open && filled > listed) {
      return undefined;
    } else if (code === MARK && !open && !isPair(bytes, i)) {
      open = true;
      i += 1;
    } else if (
      (code === SHORT_BINBYTES || code === SHORT_BINSTRING) &&
      bytes[i + 1] === ID_BYTES &&
      i + OID_COST <= end
    ) {
      copyId(bytes, i + 2, oids, filled);
      filled += ID_BYTES;
      i += OID_COST;
      // A pair of protocol 2 and later has no mark.
      const version = emptyVersion(bytes, i);
      if (version > 0 && bytes[i + version] === TUPLE2) i += version + 1;
    } else if (
      (code === BINBYTES || code === BINSTRING) &&
      i + OID_COST_LONG <= end &&
      bytes.readUInt32LE(i + 1) === ID_BYTES
    ) {
      copyId(bytes, i + 5, oids, filled);
      filled += ID_BYTES;
      i += OID_COST_LONG;
    } else if (code === MARK && isPair(bytes, i)) {
      copyId(bytes, i + 3, oids, filled);
      filled += ID_BYTES;
      i += 1 + OID_COST + emptyVersion(bytes, i + 1 + OID_COST) + 1;
    } else if (!open) {
      return { oids: oids.subarray(0, filled), end: i };
    } else {
      return undefined;
    }
  }
  return undefined;
}

/** `MARK oid '' TUPLE`: an oid with its version, as clients of protocol Z308 get them. */
function isPair(bytes: Buffer, at: number): boolean {
  const code = bytes[at + 1];
  if ((code !== SHORT_BINSTRING && code !== SHORT_BINBYTES) || bytes[at + 2] !== ID_BYTES) return false;
  const version = emptyVersion(bytes, at + 1 + OID_COST);
  return version > 0 && bytes[at + 1 + OID_COST + version] === TUPLE;
}

/** The bytes that an empty string takes at `at`; 0 when there is none. */
function emptyVersion(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case SHORT_BINSTRING:
    case SHORT_BINBYTES:
      return bytes[at + 1] === 0 ? 2 : 0;
    case BINUNICODE:
      return at + 5 <= bytes.length && bytes.readUInt32LE(at + 1) === 0 ? 5 : 0;
    default:
      return 0;
  }
}

/** Packs decoded oids, plain or in pairs. */
export function packOids(value: Value, code: ProtocolErrorCode): Buffer {
  const items = itemsOf(value);
  if (items === undefined) throw new ProtocolError(code, 0, "a list of oids", "another value");
  const oids = Buffer.allocUnsafe(items.length * ID_BYTES);
  let filled = 0;
  for (const item of items) {
    const oid = itemsOf(item)?.[0] ?? item;
    if (!Buffer.isBuffer(oid) || oid.length !== ID_BYTES) throw new ProtocolError(code, 0, "an oid", "another value");
    copyId(oid, 0, oids, filled);
    filled += ID_BYTES;
  }
  return oids;
}

/** The bytes that `writeOids` will write. */
export function oidsSize(style: PickleStyle, shape: OidShape, oids: Buffer): number {
  const count = oids.length / ID_BYTES;
  const each = OID_COST + (shape === "plain" ? 0 : versionSize(style));
  const alone = count % BATCH === 1 && (count === 1 || style.python2) ? 1 : 0;
  return 1 + count * each + Math.ceil(count / BATCH) * 2 - alone;
}

function versionSize(style: PickleStyle): number {
  return (style.python2 ? 2 : 5) + (style.binary2 ? 1 : 2);
}

/** Writes a list of oids, in batches as the picklers do. Returns the offset behind it. */
export function writeOids(style: PickleStyle, shape: OidShape, oids: Buffer, to: Buffer, at: number): number {
  const count = oids.length / ID_BYTES;
  const code = style.python2 ? SHORT_BINSTRING : SHORT_BINBYTES;
  let into = at;
  to[into++] = EMPTY_LIST;
  for (let done = 0; done < count;) {
    const size = Math.min(BATCH, count - done);
    const alone = size === 1 && (count === 1 || style.python2);
    if (!alone) to[into++] = MARK;
    for (let i = done; i < done + size; i++) {
      if (shape === "pairs" && !style.binary2) to[into++] = MARK;
      to[into++] = code;
      to[into++] = ID_BYTES;
      copyId(oids, i * ID_BYTES, to, into);
      into += ID_BYTES;
      if (shape === "pairs") into = writeVersion(style, to, into);
    }
    to[into++] = alone ? APPEND : APPENDS;
    done += size;
  }
  return into;
}

function writeVersion(style: PickleStyle, to: Buffer, at: number): number {
  let into = at;
  to[into++] = style.python2 ? SHORT_BINSTRING : BINUNICODE;
  to[into++] = 0;
  if (!style.python2) into = to.writeUIntLE(0, into, 3);
  to[into++] = style.binary2 ? TUPLE2 : TUPLE;
  return into;
}
