import { describe, expect, it } from "vitest";
import type { Dialect, Envelope } from "../../../src/wire/codec.ts";
import { MAX_HEAD } from "../../../src/wire/codec.ts";
import { exceptionIn } from "../../../src/wire/exceptions.ts";
import { ID_BYTES } from "../../../src/wire/ids.ts";
import { pickleCodec } from "../../../src/wire/pickle-codec.ts";
import { type ReplyHead, replyHead } from "../../../src/wire/pickle/reply-head.ts";
import { itemsOf, PyGlobal, PyObject, PyTuple, type Value } from "../../../src/wire/value.ts";
import { CAPTURES, readCapture } from "../captured.ts";

const DIALECTS: readonly Dialect[] = ["pickle1", "pickle1-zeo5", "pickle3-py2", "pickle3-zeo4", "pickle3"];

/** Of a payload that comes byte by byte: what is found, and after how many bytes. */
function found(payload: Buffer): { readonly head: ReplyHead; readonly after: number } {
  for (let after = 0; after <= payload.length; after++) {
    const part = payload.subarray(0, after);
    const envelope = pickleCodec.peek(part);
    const head = envelope === undefined ? undefined : replyHead(part, payload.length, envelope);
    if (head !== undefined) return { head, after };
  }
  throw new Error("nothing is found");
}

const id = Buffer.from("0102030405060708", "hex");

describe.each(DIALECTS)("a reply in %s", (dialect) => {
  const python2 = dialect.startsWith("pickle1") || dialect === "pickle3-py2";
  const text = (value: string): Value => (python2 ? Buffer.from(value) : value);
  const reply = (value: Value, flags = 0): Buffer => pickleCodec.encode(dialect, 7, flags, ".reply", value);
  const NOT_IMPORTED = new PyObject(new PyGlobal("os", "system"), new PyTuple([text("true")]));

  it.each<[string, Value, ReplyHead]>([
    ["None", null, { kind: "none" }],
    ["a small integer", 5, { kind: "integer", value: 5 }],
    ["a larger one", 70_000, { kind: "integer", value: 70_000 }],
    ["a negative one", -3, { kind: "integer", value: -3 }],
    ["one of more than 53 bits", 2n ** 60n, { kind: "other" }],
    ["a tid", id, { kind: "id", id }],
    ["other bytes", Buffer.from("digest"), { kind: "other" }],
    [
      "a transaction",
      new PyTuple([id, text(" "), id, id, new Map([[text("x"), NOT_IMPORTED]])]),
      { kind: "items", id },
    ],
    ["a record", new PyTuple([id, id, Buffer.alloc(5000), null]), { kind: "items", id }],
    ["a deleted one", new PyTuple([id, id, null, null]), { kind: "items", id }],
    ["a tuple that begins with something else", new PyTuple([null, id, id, id]), { kind: "other" }],
    ["one that begins with other bytes", new PyTuple([Buffer.alloc(9), id, id, id]), { kind: "other" }],
    ["a list", [id, id], { kind: "other" }],
    ["a dictionary", new Map([[text("a"), id]]), { kind: "other" }],
    ["nothing in a tuple", new PyTuple([]), { kind: "other" }],
  ])("%s", (_name, value, head) => {
    expect(found(reply(value)).head).toEqual(head);
  });

  it("an exception of an old server", () => {
    const type = new PyGlobal("exceptions", "KeyError");
    const value = new PyTuple([type, new PyObject(type, new PyTuple([1]))]);
    expect(found(reply(value)).head).toEqual({ kind: "exception", name: "exceptions.KeyError" });
  });

  it.each<[Value, string]>([
    [new PyTuple([text("builtins.KeyError"), new PyTuple([13])]), "builtins.KeyError"],
    [new PyTuple([text("ZODB.POSException.POSKeyError"), new Map()]), "ZODB.POSException.POSKeyError"],
    [null, ""],
    [id, id.toString("latin1")],
    [new PyTuple([5, 6]), ""],
  ])("an exception of a new server: %#", (value, name) => {
    expect(found(reply(value, 2)).head).toEqual({ kind: "exception", name });
  });

  it("is found in its first bytes, whatever comes behind", () => {
    const transaction = new PyTuple([id, text(" "), Buffer.alloc(100_000), id, new Map()]);
    expect(found(reply(transaction)).after).toBeLessThan(64);
    const garbled = reply(transaction);
    garbled.fill(0xff, 100);
    expect(found(garbled).head).toEqual({ kind: "items", id });
  });

  it("is memory of its own", () => {
    const payload = reply(id);
    const { head } = found(payload);
    payload.fill(0);
    expect(head).toEqual({ kind: "id", id });
  });

  it("of too long a name is an exception without one", () => {
    const long = "x".repeat(2 * MAX_HEAD);
    expect(found(reply(new PyTuple([text(long), new PyTuple([])]), 2))).toEqual({
      head: { kind: "exception", name: "" },
      after: MAX_HEAD,
    });
    const type = new PyGlobal(long, "Error");
    expect(found(reply(new PyTuple([type, new PyTuple([])]))).head).toEqual({ kind: "exception", name: "" });
  });

  it("that is cut is an error", () => {
    for (const payload of [reply(id), reply(new PyTuple([id, id, id, id]))]) {
      const { argsAt = 0 } = pickleCodec.peek(payload) ?? {};
      for (let end = argsAt + 2; end < payload.indexOf(id) + ID_BYTES; end++) {
        expect(() => found(payload.subarray(0, end))).toThrow("bad-pickle");
      }
    }
  });
});

it("recorded replies have what is in them", () => {
  let count = 0;
  for (const { payload, dir, more, codec } of CAPTURES.flatMap(readCapture)) {
    if (dir !== "s>c" || more > 0 || codec !== pickleCodec) continue;
    const envelope = pickleCodec.peek(payload);
    if (envelope?.method !== ".reply") continue;
    const head = replyHead(payload, payload.length, envelope);
    expect(head?.kind).toBe(kindOf(payload, envelope));
    count++;
  }
  expect(count).toBeGreaterThan(100);
});

function kindOf(payload: Buffer, envelope: Envelope): ReplyHead["kind"] {
  const value = pickleCodec.args(payload, envelope);
  if (exceptionIn(value, envelope) !== undefined) return "exception";
  if (value === null) return "none";
  if (typeof value === "number" || typeof value === "boolean") return "integer";
  const isId = (one: Value | undefined): boolean => Buffer.isBuffer(one) && one.length === ID_BYTES;
  if (isId(value)) return "id";
  const items = itemsOf(value);
  // Protocol 1 has a mark before short tuples, too.
  const most = payload[0] === 0x80 ? 3 : 0;
  return value instanceof PyTuple && (items?.length ?? 0) > most && isId(items?.[0]) ? "items" : "other";
}
