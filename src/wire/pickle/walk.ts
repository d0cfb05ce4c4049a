import * as op from "./opcodes.ts";

/*
 * How long each opcode is with its argument, and what it does to the stack. Enough to walk over a pickle without making
 * anything of it.
 */

/** What an opcode does to the stack. */
export const UNKNOWN = 0;
/** Nothing: a memo write, a frame, the protocol. */
export const NOISE = 1;
export const PUSHES = 2;
export const MARKS = 3;
/** One value stands for the last one, two or three. */
export const JOINS1 = 4;
export const JOINS2 = 5;
export const JOINS3 = 6;
/** One value stands for all from the last mark on. */
export const JOINS_MARK = 7;
/** All from the last mark on goes into the value before it. */
export const INTO = 8;
/** The last value, or the last mark if none is above it, is dropped. */
export const DROPS = 9;
export const DROPS_MARK = 10;
export const STOPS = 11;

const EFFECTS = new Uint8Array(256);

function effect(is: number, codes: readonly number[]): void {
  for (const code of codes) EFFECTS[code] = is;
}

/** Bytes of the opcode with an argument of fixed size. */
const SIZES = new Uint8Array(256);
/** How many bytes a length before the argument has. */
const COUNTED = new Uint8Array(256);
/** How many lines are the argument. */
const LINES = new Uint8Array(256);

effect(NOISE, [op.PROTO, op.FRAME, op.BINPUT, op.LONG_BINPUT, op.PUT, op.MEMOIZE]);
effect(PUSHES, [op.NONE, op.NEWTRUE, op.NEWFALSE, op.INT, op.BININT, op.BININT1, op.BININT2, op.LONG, op.LONG1]);
effect(PUSHES, [op.LONG4, op.FLOAT, op.BINFLOAT, op.STRING, op.BINSTRING, op.SHORT_BINSTRING, op.BINBYTES]);
effect(PUSHES, [op.SHORT_BINBYTES, op.BINBYTES8, op.BYTEARRAY8, op.UNICODE, op.BINUNICODE, op.SHORT_BINUNICODE]);
effect(PUSHES, [op.BINUNICODE8, op.EMPTY_TUPLE, op.EMPTY_LIST, op.EMPTY_DICT, op.EMPTY_SET, op.DUP, op.PERSID]);
effect(PUSHES, [op.GLOBAL, op.EXT1, op.EXT2, op.EXT4, op.GET, op.BINGET, op.LONG_BINGET]);
effect(MARKS, [op.MARK]);
effect(JOINS1, [op.TUPLE1, op.BINPERSID]);
effect(JOINS2, [op.TUPLE2, op.REDUCE, op.NEWOBJ, op.STACK_GLOBAL, op.APPEND, op.BUILD]);
effect(JOINS3, [op.TUPLE3, op.NEWOBJ_EX, op.SETITEM]);
effect(JOINS_MARK, [op.TUPLE, op.LIST, op.DICT, op.FROZENSET, op.INST, op.OBJ]);
effect(INTO, [op.APPENDS, op.SETITEMS, op.ADDITEMS]);
effect(DROPS, [op.POP]);
effect(DROPS_MARK, [op.POP_MARK]);
effect(STOPS, [op.STOP]);

for (let code = 0; code < 256; code++) if (EFFECTS[code] !== UNKNOWN) SIZES[code] = 1;
for (const code of [op.PROTO, op.BINPUT, op.BININT1, op.BINGET, op.EXT1]) SIZES[code] = 2;
for (const code of [op.BININT2, op.EXT2]) SIZES[code] = 3;
for (const code of [op.LONG_BINPUT, op.BININT, op.LONG_BINGET, op.EXT4]) SIZES[code] = 5;
for (const code of [op.FRAME, op.BINFLOAT]) SIZES[code] = 9;
for (const code of [op.LONG1, op.SHORT_BINSTRING, op.SHORT_BINBYTES, op.SHORT_BINUNICODE]) COUNTED[code] = 1;
for (const code of [op.LONG4, op.BINSTRING, op.BINBYTES, op.BINUNICODE]) COUNTED[code] = 4;
for (const code of [op.BINBYTES8, op.BYTEARRAY8, op.BINUNICODE8]) COUNTED[code] = 8;
for (const code of [op.PUT, op.GET, op.INT, op.LONG, op.FLOAT, op.STRING, op.UNICODE, op.PERSID]) LINES[code] = 1;
for (const code of [op.GLOBAL, op.INST]) LINES[code] = 2;
for (let code = 0; code < 256; code++) if (COUNTED[code] !== 0 || LINES[code] !== 0) SIZES[code] = 0;

export function effectOf(code: number): number {
  return EFFECTS[code] as number;
}

/** The offset behind the opcode at `at` and its argument; -1 where it is cut, or no opcode. */
export function opcodeEnd(bytes: Buffer, at: number): number {
  const code = bytes[at];
  if (code === undefined) return -1;
  const size = SIZES[code] as number;
  if (size > 0) return at + size <= bytes.length ? at + size : -1;
  const width = COUNTED[code] as number;
  if (width > 0) return countedEnd(bytes, at + 1, width);
  let end = at;
  for (let lines = LINES[code] as number; lines > 0; lines--) {
    end = bytes.indexOf(0x0a, end + 1);
    if (end < 0) return -1;
  }
  return end > at ? end + 1 : -1;
}

function countedEnd(bytes: Buffer, at: number, width: number): number {
  const start = at + width;
  if (start > bytes.length) return -1;
  let length: number;
  if (width === 1) length = bytes[at] as number;
  else if (width === 4) length = bytes.readUInt32LE(at);
  else length = bytes.readUInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at);
  return length <= bytes.length - start ? start + length : -1;
}
