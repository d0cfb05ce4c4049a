import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Codec, Envelope } from "../../src/wire/codec.ts";
import { idOfPair } from "../../src/wire/message-id.ts";
import { isReplyName, methodIn, methodNamed, METHODS, REPLY, UNKNOWN } from "../../src/wire/methods.ts";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { Skim, skimmedId, StoreSkim } from "../../src/wire/skim.ts";
import { CAPTURES, readCapture } from "./captured.ts";
import { changes, MSGPACK_HEADERS, PICKLE_OPCODES, shortMessages } from "./mutations.ts";

const SEED = Number(process.env["FC_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** What stands before a message in a chunk, and behind it. */
const BEFORE = Buffer.from([0x28, 0x4b, 0x01, 0x94, 0x80]);
const BEHIND = Buffer.from("((KKCCXX\x86\x86tttt....\x94\x94\xc4\xc4", "latin1");

interface Skimmed {
  readonly envelope: Omit<Envelope, "method"> & { readonly method: string };
  readonly store: { readonly oid: string; readonly serial: string; readonly restAt: number } | undefined;
}

/** What is skimmed of it where it lies inside of a chunk, with offsets in the payload. */
function skimmed(codec: Codec, payload: Buffer): Skimmed | undefined {
  const chunk = Buffer.concat([BEFORE, payload, BEHIND]);
  const end = BEFORE.length + payload.length;
  const skim = new Skim();
  if (!codec.skim(chunk, BEFORE.length, end, skim)) return undefined;
  const { id, flags, nameAt, argsAt } = skim;
  const envelope = { id, flags, method: chunk.toString("latin1", nameAt, argsAt), argsAt: argsAt - BEFORE.length };
  const store = new StoreSkim();
  if (!codec.skimStore(chunk, argsAt, end, store)) return { envelope, store: undefined };
  const { oidAt, serial } = store;
  const restAt = store.restAt - BEFORE.length;
  return { envelope, store: { oid: chunk.toString("hex", oidAt, oidAt + 8), serial, restAt } };
}

/** The same, read slowly. */
function read(codec: Codec, payload: Buffer, asStore: boolean): Skimmed | undefined {
  const envelope = codec.peek(payload);
  if (envelope === undefined || !asStore) return envelope && { envelope, store: undefined };
  const head = codec.storeHead(payload, envelope, methodNamed("storea"));
  if (head === undefined) return undefined;
  const oid = payload.toString("hex", head.oidAt, head.oidAt + 8);
  return { envelope, store: { oid, serial: head.serial, restAt: head.restAt } };
}

function mustAgree(codec: Codec, payload: Buffer): Skimmed | undefined {
  const quick = skimmed(codec, payload);
  if (quick !== undefined) expect(read(codec, payload, quick.store !== undefined)).toEqual(quick);
  return quick;
}

describe("what is skimmed", () => {
  it.each(CAPTURES)("is what is read, in %s", (file) => {
    for (const { codec, payload, more } of readCapture(file)) {
      if (codec !== undefined && more === 0) mustAgree(codec, payload);
    }
  });

  it("is nearly all that passes: calls, replies and stores of every protocol", () => {
    const missed = new Map<string, number>();
    let count = 0;
    for (const file of CAPTURES) {
      for (const { codec, payload, more, dir } of readCapture(file)) {
        if (codec === undefined || more > 0) continue;
        const { method = "" } = codec.peek(payload) ?? {};
        const isStore = methodNamed(method).name === "storea";
        if (!isStore && method !== REPLY && (dir === "s>c" || methodNamed(method).sort !== "other")) continue;
        count++;
        const quick = skimmed(codec, payload);
        if (quick === undefined || (isStore && quick.store === undefined)) {
          missed.set(`${file} ${method}`, (missed.get(`${file} ${method}`) ?? 0) + 1);
        }
      }
    }
    const all = [...missed.values()].reduce((sum, n) => sum + n, 0);
    expect(count).toBeGreaterThan(3_000);
    expect(all / count, JSON.stringify([...missed])).toBeLessThan(0.05);
  });

  it.each([
    ["pickle", pickleCodec, PICKLE_OPCODES],
    ["msgpack", msgpackCodec, MSGPACK_HEADERS],
  ] as const)(`is what is read, of %s bytes that were changed (seed ${SEED})`, (_name, codec, interesting) => {
    const originals = shortMessages(codec);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: originals.length - 1 }),
        fc.array(changes(interesting), { minLength: 1, maxLength: 3 }),
        (index, edits) => {
          let payload = originals[index] as Buffer;
          for (const edit of edits) payload = edit(payload);
          mustAgree(codec, payload);
        },
      ),
      { seed: SEED, numRuns: 20_000 },
    );
  });
});

describe("an id", () => {
  it("is four numbers, and the same id again", () => {
    const pair = idOfPair(Buffer.from("00ff80007fff0102", "hex"), 0, Buffer.from("ffffffff80000000", "hex"), 0);
    for (const id of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), pair]) {
      const skim = new Skim();
      expect(skim.setId(id), String(id)).toBe(true);
      expect(skim.id).toBe(id);
      expect(skimmedId(skim)).toBe(id);
    }
  });

  it("is none that is no small integer, and no pair", () => {
    for (const id of [2 ** 31, -(2 ** 31) - 1, "bytes:abc", "none", "(1;2;)", "int:123456789012345678901"]) {
      expect(new Skim().setId(id), String(id)).toBe(false);
    }
  });

  it("that is an integer is never a pair's", () => {
    const integer = new Skim();
    const pair = new Skim();
    integer.setInteger(7);
    pair.setPair(Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.alloc(12)]), 0, 8);
    expect([pair.a, pair.b, pair.c, pair.d]).toEqual([7, 0, 0, 0]);
    expect([integer.isPair, pair.isPair]).toEqual([false, true]);
    expect(integer.id).not.toBe(pair.id);
  });
});

describe("a method's name in place", () => {
  it("leads to each method of the table, and to no other", () => {
    for (const method of METHODS.slice(1)) {
      const bytes = Buffer.from(`xx${method.name}yy`);
      expect(methodIn(bytes, 2, 2 + method.name.length)).toBe(method);
      expect(methodIn(bytes, 2, 3 + method.name.length)).toBeUndefined();
      expect(methodIn(bytes, 3, 2 + method.name.length)).toBeUndefined();
    }
    expect(methodIn(Buffer.from("x"), 0, 0)).toBeUndefined();
    expect(METHODS[0]).toBe(UNKNOWN);
  });

  it("is a reply's", () => {
    const bytes = Buffer.from("x.replyx");
    expect(isReplyName(bytes, 1, 7)).toBe(true);
    expect(isReplyName(bytes, 1, 8)).toBe(false);
    expect(isReplyName(bytes, 0, 6)).toBe(false);
  });
});
