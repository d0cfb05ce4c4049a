import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/wire/errors.ts";
import { argumentsPickle } from "../../../src/wire/pickle/arguments.ts";
import * as op from "../../../src/wire/pickle/opcodes.ts";
import { Outline } from "../../../src/wire/pickle/outline.ts";
import { PickleWriter, STYLES } from "../../../src/wire/pickle/writer.ts";
import { effectOf, UNKNOWN } from "../../../src/wire/pickle/walk.ts";
import { pickleCodec } from "../../../src/wire/pickle-codec.ts";
import { PyGlobal, PyObject, PyTuple, type Value } from "../../../src/wire/value.ts";
import { Work } from "../../../src/wire/work.ts";
import { messageOf } from "../hostile.ts";
import { DIALECTS } from "../codec-vectors.ts";
import { latin } from "../raw.ts";

const newWork = (): Work => new Work("bad-pickle", 1_000_000);

function read(body: string | Buffer, need = Infinity): { count: number; items: (Value | undefined)[] } {
  const bytes = typeof body === "string" ? latin(body) : body;
  const payload = messageOf(pickleCodec, 5, 0, "m", bytes);
  const envelope = pickleCodec.peek(payload);
  if (envelope === undefined) throw new Error("no message");
  const args = argumentsPickle(payload, envelope, need, newWork());
  const shown = Math.max(0, Math.min(args.count, 8));
  return { count: args.count, items: Array.from({ length: shown }, (_, index) => args.at(index)) };
}

describe("what a pickle is walked over with", () => {
  it("knows every opcode that is read", () => {
    const codes = Object.entries(op).filter(([name]) => name !== "MAX_PROTOCOL");
    for (const [name, code] of codes) expect(effectOf(code), name).not.toBe(UNKNOWN);
    expect(Array.from({ length: 256 }, (_, code) => code).filter((code) => effectOf(code) !== UNKNOWN)).toHaveLength(
      codes.length,
    );
  });
});

describe("Outline", () => {
  it.each<readonly [string, string, readonly (Value | undefined)[]]>([
    ["no arguments", ")", []],
    ["one", "K\x07\x85", [7]],
    ["two", "K\x07K\x08\x86", [7, 8]],
    ["three", "K\x07NK\x08\x87", [7, null, 8]],
    ["four, behind a mark", "(K\x07NK\x08Nt", [7, null, 8, null]],
    ["one behind a mark", "(K\x07t", [7]],
    ["a tuple of four in a tuple of one", "(K\x01K\x02K\x03K\x04t\x85", [new PyTuple([1, 2, 3, 4])]],
    ["a list and a dictionary between", "(K\x07](K\x01K\x02e}(K\x01K\x02uK\x08t", [7, [1, 2], new Map([[1, 2]]), 8]],
    ["what is dropped", "(K\x070K\x08(K\x01K\x021K\x09t", [8, 9]],
    [
      "an instance with a state",
      "(cm\nn\n)R}bK\x08t",
      [new PyObject(new PyGlobal("m", "n"), new PyTuple([]), new Map()), 8],
    ],
    ["what the memo brings back", "(C\x02abq\x01h\x01t", [Buffer.from("ab"), Buffer.from("ab")]],
    ["an integer that is text", "(I12345678901\nL7L\nt", [12345678901, 7]],
    ["more than are kept", `(${"K\x01".repeat(9)}t`, Array.from({ length: 8 }, () => 1)],
  ])("finds %s", (_name, body, items) => {
    expect(read(body).items).toEqual(items);
  });

  it.each([
    ["a list", "](K\x01K\x02e"],
    ["a number", "K\x01"],
    ["a tuple that something was put into", "(K\x01K\x02t(K\x03e"],
    ["a list where a tuple was", "(K\x01K\x02t0]"],
  ])("takes no items from %s", (_name, body) => {
    expect(read(body).count).toBe(-1);
  });

  it.each([
    ["a mark that is open", "(K\x01"],
    ["values that are left", "K\x01K\x02"],
    ["no value", ""],
    ["a tuple of more than there are", "K\x01\x86"],
    ["values from before the mark", "K\x01(K\x02\x86t"],
    ["a batch without a mark", "]K\x01e"],
    ["a batch into nothing", "(K\x01e"],
    ["a drop of nothing", "0K\x01"],
    ["a stop", "K\x01.K\x02"],
    ["an unknown opcode", "(K\x07\xfft"],
    ["more marks than anyone has", `(K\x07${"(".repeat(20_000)}${"t".repeat(20_000)}t`],
  ])("refuses %s", (_name, body) => {
    expect(() => read(body)).toThrow(ProtocolError);
  });

  it("needs nothing behind what is needed, but for what the arguments are", () => {
    expect(read("(K\x07K\x08\xff", 1)).toEqual({ count: 1, items: [7] });
    expect(read("(K\x07K\x08T\xff\xff\xff\xff", 1)).toEqual({ count: 1, items: [7] });
    expect(() => read("(K\x07\xff", 1)).toThrow(ProtocolError);
    expect(() => read("K\x07K\x08\xff\x86", 1)).toThrow(ProtocolError);
    // What looked like the first argument was a part of it.
    expect(read("(K\x01K\x02K\x03K\x04t\x85", 1).items).toEqual([new PyTuple([1, 2, 3, 4])]);
    expect(() => read("(K\x01K\x02K\x03K\x04t\xff\x85", 1)).toThrow(ProtocolError);
  });

  it("refuses an argument that is cut, wherever", () => {
    const payload = messageOf(pickleCodec, 5, 0, "m", latin("(K\x07C\x08abcdefgh}(X\x01\x00\x00\x00aNuNt"));
    const { argsAt } = pickleCodec.peek(payload) ?? { argsAt: 0 };
    for (let cut = argsAt; cut < payload.length; cut++) {
      expect(() => new Outline(payload.subarray(0, cut), argsAt, Infinity, newWork()), `cut at ${cut}`).toThrow(
        ProtocolError,
      );
    }
  });

  it("finds any arguments where every writer puts them", () => {
    const { value } = fc.letrec<{ value: Value }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom<Value[]>(null, true, false, 7, -70_000, 2n ** 70n, 1.5, "text", "", Buffer.from("bytes")),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.array(tie("value"), { maxLength: 5 }).map((items) => new PyTuple(items)),
        fc.array(tie("value"), { maxLength: 3 }).map((items) => new Map(items.map((item, n) => [`k${n}`, item]))),
        tie("value").map((state) => new PyObject(new PyGlobal("m", "n"), new PyTuple([]), state)),
      ),
    }));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 8 }), fc.constantFrom(...DIALECTS), (items, { dialect, codec }) => {
        if (codec !== pickleCodec) return;
        const payload = codec.encode(dialect, 5, 0, "m", new PyTuple(items));
        const envelope = codec.peek(payload);
        if (envelope === undefined) throw new Error("no message");
        const args = codec.arguments(payload, envelope, Infinity, newWork());
        expect(args.count).toBe(items.length);
        const whole = codec.args(payload, envelope) as PyTuple;
        items.forEach((item, index) => {
          const size = new PickleWriter(STYLES[dialect as "pickle1"]).value(item).finish().length;
          const expected = whole.items[index];
          // False and True are 0 and 1 where one stands alone.
          const plain = typeof expected === "boolean" ? Number(expected) : expected;
          if (size <= 1024) expect(args.at(index)).toEqual(plain);
        });
      }),
      { numRuns: 300 },
    );
  });
});
