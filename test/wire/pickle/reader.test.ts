import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/wire/errors.ts";
import { MARK_VALUE, readPickle } from "../../../src/wire/pickle/reader.ts";
import type { Value } from "../../../src/wire/value.ts";
import { PyGlobal, PyObject, PyTuple } from "../../../src/wire/value.ts";
import { latin } from "../raw.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const tuple = (...items: Value[]): PyTuple => new PyTuple(items);
const global = (module: string, name: string): PyGlobal => new PyGlobal(module, name);

/** Written by Python's pickle and pickletools, opcode by opcode. */
const VECTORS: readonly (readonly [string, Buffer, Value])[] = [
  ["None", hex("4e2e"), null],
  ["True and False of protocol 2", hex("8002 88 89 86 2e"), tuple(true, false)],
  ["True and False of protocol 1", latin("(I01\nI00\nt."), tuple(true, false)],
  ["BININT1", hex("4bff2e"), 255],
  ["BININT2", hex("4dffff2e"), 65535],
  ["BININT 2^31-1", hex("4affffff7f2e"), 2147483647],
  ["BININT -1", hex("4affffffff2e"), -1],
  ["BININT -2^31", hex("4a000000802e"), -2147483648],
  ["INT of a transaction id", latin("I140006485388752\n."), 140006485388752],
  ["INT -129", latin("I-129\n."), -129],
  ["INT 2^63-1", latin("I9223372036854775807\n."), 9223372036854775807n],
  ["LONG 2^63", latin("L9223372036854775808L\n."), 9223372036854775808n],
  ["LONG -2^63-1", latin("L-9223372036854775809L\n."), -9223372036854775809n],
  ["LONG small", latin("L122L\n."), 122],
  ["LONG1 empty is 0", hex("80038a002e"), 0],
  ["LONG1 255", hex("80038a02ff002e"), 255],
  ["LONG1 -1", hex("80038a01ff2e"), -1],
  ["LONG1 -256", hex("80038a0200ff2e"), -256],
  ["LONG1 2^31", hex("80038a0500000080002e"), 2147483648],
  ["LONG1 2^53", hex("80038a07000000000000202e"), 9007199254740992n],
  ["LONG1 -2^53+1", hex("80038a07010000000000e02e"), -9007199254740991],
  ["LONG1 2^63", hex("80038a090000000000000080002e"), 9223372036854775808n],
  ["LONG1 -2^63", hex("80038a0800000000000000802e"), -9223372036854775808n],
  ["LONG4 2^31", hex("80038b0500000000000080002e"), 2147483648],
  ["BINFLOAT", hex("473ff80000000000002e"), 1.5],
  ["FLOAT", latin("F1.5e-3\n."), 0.0015],
  ["FLOAT inf", latin("F-inf\n."), Number.NEGATIVE_INFINITY],
  ["SHORT_BINSTRING", latin("U\x03a\xffb."), bytes("a\xffb")],
  ["BINSTRING", latin("T\x03\0\0\0abc."), bytes("abc")],
  ["SHORT_BINBYTES", latin("\x80\x03C\x03abc."), bytes("abc")],
  ["BINBYTES", latin("\x80\x03B\x03\0\0\0abc."), bytes("abc")],
  ["BINBYTES8", latin("\x80\x04\x8e\x03\0\0\0\0\0\0\0abc."), bytes("abc")],
  ["BYTEARRAY8", latin("\x80\x05\x96\x03\0\0\0\0\0\0\0abc."), bytes("abc")],
  ["STRING", latin("S'a\\x00\\n\\'\\\\'\n."), bytes("a\0\n'\\")],
  ["BINUNICODE", latin("X\x02\0\0\0\xc3\xa9."), "é"],
  ["SHORT_BINUNICODE", latin("\x80\x04\x8c\x02\xc3\xa9."), "é"],
  ["BINUNICODE8", latin("\x80\x04\x8d\x01\0\0\0\0\0\0\0a."), "a"],
  ["UNICODE", latin("V\\u00e9x\\U0001f600\n."), "éx😀"],
  ["EMPTY_TUPLE", latin(")."), tuple()],
  [
    "TUPLE1 to TUPLE3",
    hex("8002 4b01 85 4b01 4b02 86 4b01 4b02 4b03 87 87 2e"),
    tuple(tuple(1), tuple(1, 2), tuple(1, 2, 3)),
  ],
  ["TUPLE", hex("284b014b024b034b04742e"), tuple(1, 2, 3, 4)],
  ["EMPTY_LIST and APPEND", hex("5d4b01612e"), [1]],
  ["APPENDS in two batches", hex("5d284b014b0265284b03652e"), [1, 2, 3]],
  ["LIST", latin("(I1\nI2\nl."), [1, 2]],
  ["SETITEM", hex("7d4b014b02732e"), new Map([[1, 2]])],
  [
    "SETITEMS",
    hex("7d284b014b024b034b04752e"),
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
  ["DICT", latin("(I1\nI2\nd."), new Map([[1, 2]])],
  [
    "EMPTY_SET and ADDITEMS",
    hex("8004 8f 28 4b01 90 28 4b02 4b03 90 2e"),
    new PyObject(global("builtins", "set"), tuple([1, 2, 3])),
  ],
  ["FROZENSET", hex("8004 28 4b01 91 2e"), new PyObject(global("builtins", "frozenset"), tuple([1]))],
  ["POP", hex("4b014b02302e"), 1],
  ["POP of a mark", hex("4b0128302e"), 1],
  ["POP_MARK", hex("4b01284b024b03312e"), 1],
  ["DUP", hex("80024b0132862e"), tuple(1, 1)],
  ["BINPUT and BINGET", hex("8002 4301 61 7105 6805 86 2e"), tuple(bytes("a"), bytes("a"))],
  ["LONG_BINPUT and LONG_BINGET", hex("8002 430161 7205000100 6a05000100 862e"), tuple(bytes("a"), bytes("a"))],
  ["PUT and GET", latin("(I7\np3\ng3\nt."), tuple(7, 7)],
  ["GLOBAL", latin("cexceptions\nKeyError\n."), global("exceptions", "KeyError")],
  ["STACK_GLOBAL", latin("\x80\x04\x8c\x01m\x8c\x01n\x93."), global("m", "n")],
  [
    "EXT1, EXT2, EXT4",
    hex("8002 8201 830002 8400000300 87 2e"),
    tuple(global("copyreg.extension", "1"), global("copyreg.extension", "512"), global("copyreg.extension", "196608")),
  ],
  ["REDUCE", latin("cm\nn\n(K\x01tR."), new PyObject(global("m", "n"), tuple(1))],
  ["NEWOBJ", latin("\x80\x02cm\nn\n)\x81."), new PyObject(global("m", "n"), tuple())],
  ["NEWOBJ_EX", latin("\x80\x04cm\nn\n)}\x92."), new PyObject(global("m", "n"), tuple(tuple(), new Map()))],
  ["INST", latin("(K\x01im\nn\n."), new PyObject(global("m", "n"), tuple(1))],
  ["OBJ", latin("(cm\nn\nK\x01o."), new PyObject(global("m", "n"), tuple(1))],
  ["BUILD", latin("cm\nn\n)RK\x05b."), new PyObject(global("m", "n"), tuple(), 5)],
  ["a persistent id", latin("K\x05Q."), new PyObject(global("pickle", "persistent_load"), 5)],
  ["FRAME", hex("8004 95 0300000000000000 4b01 2e"), 1],
];

describe("readPickle", () => {
  const vectors = VECTORS;

  it.each(vectors)("reads %s", (_name, pickle, value) => {
    expect(readPickle(pickle)).toEqual(value);
  });

  it.each(vectors)("reads %s, whichever byte it is cut at, as a protocol error", (_name, pickle) => {
    for (let cut = 0; cut < pickle.length; cut++) {
      expect(() => readPickle(pickle.subarray(0, cut)), `cut at ${cut}`).toThrow(ProtocolError);
    }
  });

  it.each(vectors)("refuses bytes behind %s", (_name, pickle) => {
    expect(() => readPickle(Buffer.concat([pickle, Buffer.from(".")]))).toThrow(ProtocolError);
  });

  it("reads from a view in the middle of a larger buffer", () => {
    const inner = latin("U\x03abc.");
    const view = Buffer.concat([Buffer.alloc(7, 0x2e), inner, Buffer.alloc(7, 0x2e)]).subarray(7, 7 + inner.length);
    expect(readPickle(view)).toEqual(bytes("abc"));
  });

  it("copies no byte string", () => {
    const pickle = latin("U\x03abc.");
    const value = readPickle(pickle) as Buffer;
    expect(value.buffer).toBe(pickle.buffer);
    expect(value.byteOffset).toBe(pickle.byteOffset + 2);
  });

  it("counts MEMOIZE from 0", () => {
    expect(readPickle(hex("8004 4b07 94 4b08 94 6800 6801 86 87 2e"))).toEqual(tuple(7, 8, tuple(7, 8)));
  });

  it("gives a state that comes after the object was memoized to every holder of it", () => {
    const value = readPickle(latin("\x80\x02cm\nn\n)Rq\x01K\x05bh\x01\x86.")) as PyTuple;
    expect(value.items[0]).toBe(value.items[1]);
    expect(value.items[1]).toEqual(new PyObject(global("m", "n"), tuple(), 5));
  });

  it("takes what is on top in the end, as Python does", () => {
    expect(readPickle(hex("28 4b05 4b00 28 4b06 4b07 74 2e"))).toEqual(tuple(6, 7));
  });

  it("goes on from a stack that was built before", () => {
    expect(readPickle(hex("4b03 65 85 2e"), 0, [[], MARK_VALUE, 2])).toEqual(tuple([2, 3]));
  });

  it.each([
    ["an unknown opcode", hex("ff2e")],
    ["a reading of a memo that was not written", hex("68012e")],
    ["a protocol above 5", hex("80064e2e")],
    ["no value", hex("2e")],
    ["a tuple without its mark", hex("742e")],
    ["a tuple of more values than there are", hex("80024b01862e")],
    ["values from before the mark", hex("4b01284b02862e")],
    ["an APPEND to no list", hex("4e4b01612e")],
    ["a SETITEMS with a key too many", hex("7d284b01752e")],
    ["a SETITEM on a list", hex("5d4b014b02732e")],
    ["an INT that is no integer", latin("Iabc\n.")],
    ["an INT with a point", latin("I1.5\n.")],
    ["an INT with a blank", latin("I 15\n.")],
    ["a negative LONG4", hex("80038bffffffff2e")],
    ["a BINSTRING longer than the rest", hex("54ffffffff2e")],
    ["a BINBYTES8 of 2^63 bytes", hex("80048e00000000000000802e")],
    ["a STRING without quotes", latin("Sabc\n.")],
    ["a character above the last one", latin("V\\U00200000\n.")],
    ["a STACK_GLOBAL of numbers", hex("80044b014b02932e")],
    ["a memo index below 0", latin("K\x01p-1\n.")],
  ])("refuses %s", (_name, pickle) => {
    expect(() => readPickle(pickle)).toThrow(ProtocolError);
  });
});
