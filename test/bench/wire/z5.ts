/*
 * Just enough of the protocol `Z5`, as ZEO 5 and 6 on Python 3 pickle it, and of what a server of ZEO 4 writes otherwise. Written by hand and apart from the proxy's
 * own codec, so that load and measure don't lean on what is measured.
 */

const MARK = "(";
const TUPLE = "t";

const HEADER = Buffer.from([0x80, 3, 0x28]);
const END = Buffer.from("t.");

export const NONE = Buffer.from("N");
/** A tuple, and a list, of nothing. */
export const EMPTY = Buffer.from(")");
export const NO_ITEMS = Buffer.from("]");

export function int(value: number): Buffer {
  if (value >= 0 && value < 0x100) return Buffer.from([0x4b, value]);
  const head = Buffer.alloc(5);
  head[0] = 0x4a;
  head.writeInt32LE(value, 1);
  return head;
}

export function text(value: string): Buffer {
  const head = Buffer.alloc(5);
  head[0] = 0x58;
  head.writeUInt32LE(Buffer.byteLength(value), 1);
  return Buffer.concat([head, Buffer.from(value)]);
}

/** Opcode and length before so many bytes. */
export function bytesHead(length: number): Buffer {
  if (length < 0x100) return Buffer.from([0x43, length]);
  const head = Buffer.alloc(5);
  head[0] = 0x42;
  head.writeUInt32LE(length, 1);
  return head;
}

export function bytes(value: Buffer): Buffer {
  return Buffer.concat([bytesHead(value.length), value]);
}

export function tuple(...items: readonly Buffer[]): Buffer {
  if (items.length === 0) return EMPTY;
  if (items.length <= 3) return Buffer.concat([...items, Buffer.from([0x84 + items.length])]);
  return longTuple(...items);
}

/** Of more than three items, several of which may stand in one part. */
export function longTuple(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(MARK), ...parts, Buffer.from(TUPLE)]);
}

const APPEND = 0x61;
const APPENDS = 0x65;
/** Picklers append to lists in batches of so many. */
const BATCH = 1000;
/** An oid in a list: opcode, length, `p64`. */
export const OID_BYTES = 10;

/** A list of so many oids, which stand behind one another in `oids`. */
export function oidList(oids: Buffer, count: number): Buffer {
  return list(oids, count, OID_BYTES);
}

/** The same of items of so many bytes each. */
export function list(items: Buffer, count: number, each: number): Buffer {
  const packed = Buffer.allocUnsafe(listLength(count, each));
  packed[0] = NO_ITEMS[0] as number;
  let at = 1;
  for (let first = 0; first < count; first += BATCH) {
    const some = Math.min(BATCH, count - first);
    if (some > 1) packed[at++] = MARK.charCodeAt(0);
    at += items.copy(packed, at, first * each, (first + some) * each);
    packed[at++] = some > 1 ? APPENDS : APPEND;
  }
  return packed;
}

export function oidListLength(count: number): number {
  return listLength(count, OID_BYTES);
}

function listLength(count: number, each: number): number {
  const last = count % BATCH;
  return 1 + count * each + 2 * Math.floor(count / BATCH) + (last === 0 ? 0 : last === 1 ? 1 : 2);
}

/** A `p64`: an oid, or a tid. */
export function eight(value: number): Buffer {
  const result = Buffer.alloc(8);
  result.writeUInt32BE(Math.floor(value / 0x100000000));
  result.writeUInt32BE(value % 0x100000000, 4);
  return result;
}

const CALL = Buffer.from([0x89]);
const ONE_WAY = Buffer.from([0x88]);

/** A message's payload up to its arguments. */
export function start(id: Uint8Array, isOneWay: boolean, method: string): Buffer {
  return Buffer.concat([HEADER, id, isOneWay ? ONE_WAY : CALL, text(method)]);
}

/** The length before a payload. */
export function prefix(length: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(length);
  return head;
}

export function framed(payload: Buffer): Buffer {
  return Buffer.concat([prefix(payload.length), payload]);
}

export function call(id: Uint8Array, method: string, args: Buffer): Buffer {
  return framed(Buffer.concat([start(id, false, method), args, END]));
}

export function oneWay(method: string, args: Buffer): Buffer {
  return framed(Buffer.concat([start(int(0), true, method), args, END]));
}

/** The same of a server of ZEO 4, whose flag is the number 1. */
export function oldOneWay(method: string, args: Buffer): Buffer {
  return framed(Buffer.concat([HEADER, int(0), int(1), text(method), args, END]));
}

export const OLD = "Z4";
export const NEW = "Z5";

/** A message that has so many bytes of data among its arguments: what stands before the data, and behind it. */
export function around(
  beginning: Buffer,
  before: Buffer,
  length: number,
  after: Buffer,
): { head: Buffer; tail: Buffer } {
  const head = Buffer.concat([beginning, before, bytesHead(length)]);
  const tail = Buffer.concat([after, END]);
  return { head: Buffer.concat([prefix(head.length + length + tail.length), head]), tail };
}
