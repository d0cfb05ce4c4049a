import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/wire/errors.ts";
import { readMsgpack, writeMsgpack } from "../../../src/wire/msgpack/values.ts";
import type { Value } from "../../../src/wire/value.ts";
import { PyGlobal, PyObject, PyTuple } from "../../../src/wire/value.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Written by Python's msgpack 1.0. */
const VECTORS: readonly (readonly [string, Value])[] = [
  ["c0", null],
  ["92 c2 c3", [false, true]],
  ["cf0000000100000000", 2 ** 32],
  ["cf0020000000000000", 2n ** 53n],
  ["cfffffffffffffffff", 2n ** 64n - 1n],
  ["d3ffffffff7fffffff", -(2 ** 31) - 1],
  ["d38000000000000000", -(2n ** 63n)],
  ["cb3ff8000000000000", 1.5],
  ["c4080000000000000007", hex("0000000000000007")],
  ["a2c3a9", "é"],
  [
    "82 c4036b6579 01 a36b6579 02",
    new Map<Value, Value>([
      [Buffer.from("key"), 1],
      ["key", 2],
    ]),
  ],
  ["93 90 80 91 c0", [[], new Map(), [null]]],
];

describe("readMsgpack", () => {
  it.each(VECTORS)("reads %s", (text, value) => {
    expect(readMsgpack(hex(text), 0)).toEqual(value);
    expect(readMsgpack(Buffer.concat([hex("ffff"), hex(text)]), 2)).toEqual(value);
  });

  it.each(VECTORS)("refuses %s cut or with more behind it", (text) => {
    const bytes = hex(text);
    for (let cut = 0; cut < bytes.length; cut++)
      expect(() => readMsgpack(bytes.subarray(0, cut), 0)).toThrow(ProtocolError);
    expect(() => readMsgpack(Buffer.concat([bytes, hex("c0")]), 0)).toThrow(ProtocolError);
  });

  it.each([
    "d4 01 61",
    "91 c7 03 01 616263",
    "d6 ff 00000000",
    "d7 ff 0000000000000000",
    "c7 0c ff 000000000000000000000000",
  ])("refuses the extension %s", (text) => expect(() => readMsgpack(hex(text), 0)).toThrow(ProtocolError));
});

describe("writeMsgpack", () => {
  it("gives what can't be sent as an error of ours, not of the peer's", () => {
    const write = (value: Value): unknown => writeMsgpack("msgpack", 1, 0, ".reply", value);
    expect(() => write(2n ** 64n)).toThrow(RangeError);
    expect(() => write(-(2n ** 63n) - 1n)).toThrow(RangeError);
    expect(() => write(new PyGlobal("m", "n"))).toThrow(TypeError);
    expect(() => write([new PyObject(null, new PyTuple([]))])).toThrow(TypeError);
  });

  it("reads back what it wrote", () => {
    for (const [, value] of VECTORS)
      expect(readMsgpack(writeMsgpack("msgpack", 1, 0, ".reply", value), 0)).toEqual([1, 0, ".reply", value]);
    expect(readMsgpack(writeMsgpack("msgpack-py2", 1, 1, "info", new PyTuple([])), 0)).toEqual([
      1,
      true,
      Buffer.from("info"),
      [],
    ]);
    expect(readMsgpack(writeMsgpack("msgpack", 1, 2, ".reply", null), 0)).toEqual([1, 2, ".reply", null]);
  });
});
