import { describe, expect, it } from "vitest";
import { messageIdOf } from "../../src/wire/message-id.ts";
import type { Value } from "../../src/wire/value.ts";
import { PyGlobal, PyTuple } from "../../src/wire/value.ts";
import { id8 } from "./codec-vectors.ts";

const tuple = (...items: Value[]): PyTuple => new PyTuple(items);

describe("messageIdOf", () => {
  it("is equal for equal values, however they are written", () => {
    const equal: Value[][] = [
      [1, 1n, true],
      [0, 0n, false, -0],
      [2n ** 63n, 2n ** 63n],
      ["abc", Buffer.from("abc")],
      [tuple(id8(1), id8(2)), [id8(1), id8(2)]],
      [tuple("12345678", id8(2)), [Buffer.from("12345678"), id8(2)]],
      [tuple(1, tuple("a")), [1, [Buffer.from("a")]]],
    ];
    for (const values of equal)
      expect(new Set(values.map(messageIdOf)).size, JSON.stringify(values.map(String))).toBe(1);
  });

  it("differs for values that differ", () => {
    const different: Value[] = [
      0,
      1,
      -1,
      2 ** 53 - 1,
      2n ** 53n,
      2n ** 53n + 1n,
      1.5,
      null,
      "",
      "none",
      "1",
      "é",
      Buffer.from("é"),
      Buffer.from("é", "latin1"),
      tuple(),
      tuple(null),
      tuple(1),
      tuple(1, 2),
      tuple(12),
      tuple("1;", 2),
      tuple("1", "2"),
      tuple(tuple(1), 2),
      tuple(1, tuple(2)),
      tuple(id8(1), id8(2)),
      tuple(id8(2), id8(1)),
      tuple(id8(1), id8(2), id8(3)),
      tuple(id8(1)),
      tuple(Buffer.concat([id8(1), id8(2)])),
      Buffer.concat([id8(1), id8(2)]),
      tuple("a", "b;5:bytes:c"),
      tuple("a;bytes:b", "c"),
    ];
    expect(new Set(different.map(messageIdOf)).size).toBe(different.length);
  });

  it("is none for what no peer uses as an id", () => {
    expect(messageIdOf(new Map())).toBeUndefined();
    expect(messageIdOf(tuple(1, new PyGlobal("m", "n")))).toBeUndefined();
  });
});
