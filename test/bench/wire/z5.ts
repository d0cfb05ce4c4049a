/*
 * Just enough of the protocol `Z5`, as ZEO 5 and 6 on Python 3 pickle it. Written by hand and apart from the proxy's
 * own codec, so that load and measure don't lean on what is measured.
 */

const MARK = "(";
const TUPLE = "t";

const HEADER = Buffer.from([0x80, 3, 0x28]);
const END = Buffer.from("t.");

export const NONE = Buffer.from("N");
export const EMPTY = Buffer.from(")");

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
  return Buffer.concat([Buffer.from(MARK), ...items, Buffer.from(TUPLE)]);
}

export function list(items: readonly Buffer[]): Buffer {
  if (items.length === 0) return Buffer.from("]");
  if (items.length === 1) return Buffer.concat([Buffer.from("]"), ...items, Buffer.from("a")]);
  return Buffer.concat([Buffer.from("]("), ...items, Buffer.from("e")]);
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
export function start(id: Buffer, isOneWay: boolean, method: string): Buffer {
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

export function call(id: Buffer, method: string, args: Buffer): Buffer {
  return framed(Buffer.concat([start(id, false, method), args, END]));
}

export function oneWay(method: string, args: Buffer): Buffer {
  return framed(Buffer.concat([start(int(0), true, method), args, END]));
}

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

export interface Head {
  /** The id as it was pickled. */
  readonly id: Buffer;
  readonly method: string;
  readonly argsAt: number;
}

/** Reads a message's beginning: what the bench's own load writes, and the proxy's questions (protocol 1, `U`). */
export function readHead(payload: Buffer): Head {
  const idAt = payload[0] === 0x80 ? 3 : 1;
  let at = idAt;
  switch (payload[at]) {
    case 0x4b:
      at += 2;
      break;
    case 0x4d:
      at += 3;
      break;
    case 0x4a:
      at += 5;
      break;
    case 0x43:
      at += 21;
      break;
    default:
      throw new Error(`an unexpected id: ${payload.toString("hex", 0, 32)}`);
  }
  const id = payload.subarray(idAt, at);
  const flag = payload[at];
  at += flag === 0x49 ? 4 : flag === 0x4b ? 2 : 1;
  const isText = payload[at] === 0x58;
  const nameAt = at + (isText ? 5 : 2);
  const argsAt = nameAt + (payload[at + 1] as number);
  return { id, method: payload.toString("latin1", nameAt, argsAt), argsAt };
}
