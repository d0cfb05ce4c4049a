import { describe, expect, it } from "vitest";
import { lastArg } from "../../src/wire/arguments.ts";
import type { Codec, Dialect, Envelope } from "../../src/wire/codec.ts";
import { ProtocolError } from "../../src/wire/errors.ts";
import { FlatItems } from "../../src/wire/flat.ts";
import { methodNamed } from "../../src/wire/methods.ts";
import { TokenCursor } from "../../src/wire/msgpack/tokens.ts";
import { AtomCursor } from "../../src/wire/pickle/atoms.ts";
import { PyTuple } from "../../src/wire/value.ts";
import type { Value } from "../../src/wire/value.ts";
import { DIALECTS, id8, native } from "./codec-vectors.ts";

const STORE = methodNamed("storea");
const LOAD = methodNamed("loadBefore");
const DATA = Buffer.alloc(70_000, 7);
const TXN = 5;

function peeked(codec: Codec, payload: Buffer): Envelope {
  const envelope = codec.peek(payload);
  if (envelope === undefined) throw new Error("no whole message");
  return envelope;
}

interface Hot {
  readonly payload: Buffer;
  readonly read: (payload: Buffer) => unknown;
}

/** The readers that keep a cursor from call to call, each with a message in which a number of several bytes is read. */
function hot(codec: Codec, dialect: Dialect): Readonly<Record<string, Hot>> {
  const encoded = (method: string, ...args: Value[]): Buffer => codec.encode(dialect, 1, 1, method, new PyTuple(args));
  const store = encoded("storea", id8(7), id8(1), DATA, TXN);
  const reply = codec.encode(dialect, 1, 0, ".reply", new PyTuple([DATA, id8(1), null]));
  const [storeAt, replyAt] = [peeked(codec, store), peeked(codec, reply)];
  return {
    storeHead: { payload: store, read: (payload) => codec.storeHead(payload, storeAt, STORE) },
    shown: { payload: reply, read: (payload) => codec.shown(payload, replyAt, LOAD) },
  };
}

/** The same bytes, with `work` done inside the reading of a number. */
function interrupted(payload: Buffer, work: () => void): Buffer {
  const bytes = Buffer.from(payload);
  for (const name of ["readUInt32LE", "readUInt32BE"] as const) {
    Object.defineProperty(bytes, name, {
      value: (at: number): number => {
        work();
        return payload[name](at);
      },
    });
  }
  return bytes;
}

it.each([
  ["flat items", new FlatItems()],
  ["a cursor over atoms", new AtomCursor()],
  ["a cursor over tokens", new TokenCursor()],
] as const)("%s are claimed once until they are released", (_, shared) => {
  const bytes = Buffer.from("x");
  expect(shared.open(bytes, 0)).toBe(shared);
  expect(() => shared.open(bytes, 0)).toThrow("in use");
  shared.close();
  expect(shared.open(bytes, 0)).toBe(shared);
});

describe.each(DIALECTS)("$dialect", ({ dialect, codec, python2 }) => {
  it.each(Object.entries(hot(codec, dialect)))(
    "%s refuses to be called inside itself, loudly",
    (_, { payload, read }) => {
      const expected = read(payload);
      let calls = 0;
      const bytes = interrupted(payload, () => {
        calls++;
        read(payload);
      });
      expect(() => read(bytes)).toThrow("in use");
      expect(calls).toBe(1);
      expect(read(payload)).toEqual(expected);
    },
  );

  it.each(Object.entries(hot(codec, dialect)))("%s can be called again after bytes that it refuses", (_, hotOne) => {
    const { payload, read } = hotOne;
    const expected = read(payload);
    const bytes = interrupted(payload, () => {
      throw new ProtocolError("bad-pickle", 0, "", "");
    });
    try {
      read(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    expect(read(payload)).toEqual(expected);
  });

  it("the other readers can be called inside each other", () => {
    const args = new PyTuple([native("x", python2), DATA, TXN]);
    const payload = codec.encode(dialect, 70_000, 0, "undoa", args);
    const envelope = peeked(codec, payload);
    const read = (bytes: Buffer) => [
      codec.peek(bytes),
      lastArg(codec, bytes, envelope),
      codec.shown(bytes, envelope, undefined),
    ];
    const expected = read(payload);
    let inside: unknown;
    const bytes = interrupted(payload, () => (inside = read(payload)));
    expect(read(bytes)).toEqual(expected);
    expect(inside).toEqual(expected);
  });
});
