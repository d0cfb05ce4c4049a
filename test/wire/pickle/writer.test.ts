import { describe, expect, it } from "vitest";
import { longBytes, longInteger, smallest } from "../../../src/wire/pickle/numbers.ts";
import { readPickle } from "../../../src/wire/pickle/reader.ts";
import { PickleWriter, STYLES } from "../../../src/wire/pickle/writer.ts";
import type { PickleDialect } from "../../../src/wire/pickle/writer.ts";
import type { Value } from "../../../src/wire/value.ts";
import { PyGlobal, PyObject, PyTuple } from "../../../src/wire/value.ts";

const ALL = Object.keys(STYLES) as PickleDialect[];

function write(dialect: PickleDialect, value: Value): string {
  return new PickleWriter(STYLES[dialect]).value(value).finish().toString("latin1");
}

describe("PickleWriter", () => {
  it.each<readonly [Value, string, string, string]>([
    // Protocol 1, protocol 3 of Python 2, protocol 3 of Python 3.
    [true, "I01\n", "\x88", "\x88"],
    [false, "I00\n", "\x89", "\x89"],
    [255, "K\xff", "K\xff", "K\xff"],
    [256, "M\0\x01", "M\0\x01", "M\0\x01"],
    [-1, "J\xff\xff\xff\xff", "J\xff\xff\xff\xff", "J\xff\xff\xff\xff"],
    [2 ** 31, "I2147483648\n", "I2147483648\n", "\x8a\x05\0\0\0\x80\0"],
    [-(2 ** 31) - 1, "I-2147483649\n", "I-2147483649\n", "\x8a\x05\xff\xff\xff\x7f\xff"],
    [2n ** 63n, "L9223372036854775808L\n", "\x8a\x09\0\0\0\0\0\0\0\x80\0", "\x8a\x09\0\0\0\0\0\0\0\x80\0"],
    ["é", "X\x02\0\0\0\xc3\xa9", "X\x02\0\0\0\xc3\xa9", "X\x02\0\0\0\xc3\xa9"],
    [Buffer.from("ab"), "U\x02ab", "U\x02ab", "C\x02ab"],
    [new PyTuple([]), ")", ")", ")"],
    [new PyTuple([1]), "(K\x01t", "K\x01\x85", "K\x01\x85"],
    [new PyTuple([1, 2, 3]), "(K\x01K\x02K\x03t", "K\x01K\x02K\x03\x87", "K\x01K\x02K\x03\x87"],
    [[], "]", "]", "]"],
    [[1], "]K\x01a", "]K\x01a", "]K\x01a"],
    [[1, 2], "](K\x01K\x02e", "](K\x01K\x02e", "](K\x01K\x02e"],
    [new Map([[1, 2]]), "}K\x01K\x02s", "}K\x01K\x02s", "}K\x01K\x02s"],
    [1.5, "G\x3f\xf8\0\0\0\0\0\0", "G\x3f\xf8\0\0\0\0\0\0", "G\x3f\xf8\0\0\0\0\0\0"],
    [new PyObject(new PyGlobal("m", "n"), new PyTuple([]), 5), "cm\nn\n)RK\x05b", "cm\nn\n)RK\x05b", "cm\nn\n)RK\x05b"],
  ])("writes %o as each writer does", (value, protocol1, python2, python3) => {
    expect(write("pickle1", value)).toBe(protocol1);
    expect(write("pickle1-zeo5", value)).toBe(protocol1);
    expect(write("pickle3-py2", value)).toBe(python2);
    expect(write("pickle3-zeo4", value)).toBe(python3);
    expect(write("pickle3", value)).toBe(python3);
  });

  it.each(ALL)("grows beyond its first buffer, %s", (dialect) => {
    const value = ["x".repeat(5000), Buffer.alloc(70_000, 1), "é".repeat(3000), new PyGlobal("m".repeat(3000), "n")];
    const writer = new PickleWriter(STYLES[dialect], 1).value(value).opcode(0x2e);
    expect(readPickle(writer.finish())).toEqual(value);
  });
});

describe("long integers", () => {
  it("have the fewest bytes that hold them, and come back", () => {
    for (const value of [
      0n,
      1n,
      -1n,
      127n,
      128n,
      -128n,
      -129n,
      255n,
      256n,
      2n ** 47n,
      -(2n ** 47n),
      2n ** 63n,
      -(2n ** 63n),
      2n ** 64n,
      10n ** 300n,
      -(10n ** 300n),
    ]) {
      const bytes = longBytes(value);
      expect(BigInt(longInteger(bytes, 0, bytes.length))).toBe(value);
      if (bytes.length > 0) expect(BigInt.asIntN((bytes.length - 1) * 8, value)).not.toBe(value);
    }
  });

  it("are numbers where that is exact", () => {
    expect(smallest(2n ** 53n - 1n)).toBe(2 ** 53 - 1);
    expect(smallest(2n ** 53n)).toBe(2n ** 53n);
  });
});
