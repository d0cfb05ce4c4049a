import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { firstArg, lastArg } from "../../../src/wire/arguments.ts";
import type { Envelope } from "../../../src/wire/codec.ts";
import { asTid } from "../../../src/wire/ids.ts";
import { messageIdOf } from "../../../src/wire/message-id.ts";
import { methodNamed } from "../../../src/wire/methods.ts";
import { pickleCodec } from "../../../src/wire/pickle-codec.ts";
import type { Value } from "../../../src/wire/value.ts";
import { PyGlobal, PyObject, PyTuple } from "../../../src/wire/value.ts";
import { id8 } from "../codec-vectors.ts";

/*
 * What the picklers of Python write by themselves, with a memo (ZEO's own sides pickle without one) and with every
 * protocol that has byte strings.
 */

const SCRIPT = `
import pickle, sys
z64, oid, tid = b'\\0' * 8, b'\\0' * 7 + b'\\7', b'\\4\\r2\\xf1+\\xee\\xd3\\x88'
name, data, txn = 'storea', b'x' * 300, 140006485388752
shared = ['a', 'b']
MESSAGES = [
    (5, 0, '.reply', None),
    (70000, False, 'loadBefore', (oid, tid)),
    ((oid, tid), 0, '.reply', (data, tid, None)),
    (0, True, 'storea', (z64, z64, data, txn)),
    (0, True, 'storea', (oid, tid, data, txn)),
    (0, True, 'storea', (oid, None, data, '', txn)),
    (0, True, 'deleteObject', (oid, tid, txn)),
    (0, True, 'tpc_begin', (txn, 'u', 'd', {'k': shared, 'l': shared, 's': {1}, 'f': frozenset([2])}, tid, ' ')),
    (0, True, 'invalidateTransaction', (tid, [oid, z64, oid])),
    (9, 0, '.reply', (tid, [oid])),
    (9, 0, '.reply', (KeyError, KeyError(oid))),
    (-1, 0, '.reply', None),
]
for protocol in (3, 4, 5):
    for message in MESSAGES:
        print(pickle.dumps(message, protocol).hex())
`;

function pickles(): Buffer[] | string {
  try {
    const output = execFileSync("python3", ["-c", SCRIPT], { encoding: "utf8", timeout: 20_000 });
    return output
      .trim()
      .split("\n")
      .map((line) => Buffer.from(line, "hex"));
  } catch (error) {
    if (process.env["ZEO_PEERS"] === "required") throw error;
    return "python3: not found, or older than 3.8";
  }
}

const found = pickles();
const TID = asTid(0x040d32f12beed388n);
const TXN = 140006485388752;
const tuple = (...items: Value[]): PyTuple => new PyTuple(items);

describe.each([3, 4, 5])("pickles of protocol %i with a memo", (protocol) => {
  const all = typeof found === "string" ? [] : found.slice((protocol - 3) * 12, (protocol - 2) * 12);
  const message = (index: number): Buffer => all[index] as Buffer;
  const peek = (index: number): Envelope => pickleCodec.peek(message(index)) as Envelope;

  it("are peeked at, wherever they are cut", (context) => {
    if (typeof found === "string") return context.skip(found);
    const ids = [5, 70000, messageIdOf(tuple(id8(7), id8(TID))), 0, 0, 0, 0, 0, 0, 9, 9, -1];
    const methods = [
      ".reply",
      "loadBefore",
      ".reply",
      "storea",
      "storea",
      "storea",
      "deleteObject",
      "tpc_begin",
      "invalidateTransaction",
      ".reply",
      ".reply",
      ".reply",
    ];
    ids.forEach((id, index) => {
      const envelope = peek(index);
      expect(envelope).toMatchObject({ id, method: methods[index] });
      for (let cut = 0; cut < message(index).length; cut++) {
        const seen = pickleCodec.peek(message(index).subarray(0, cut));
        if (cut < envelope.argsAt) expect(seen).toBeUndefined();
        else if (seen !== undefined) expect(seen).toEqual(envelope);
      }
    });
  });

  it("are decoded", (context) => {
    if (typeof found === "string") return context.skip(found);
    const args = (index: number): Value => pickleCodec.args(message(index), peek(index));
    expect(args(0)).toBeNull();
    expect(args(1)).toEqual(tuple(id8(7), id8(TID)));
    expect(args(2)).toEqual(tuple(Buffer.alloc(300, "x"), id8(TID), null));
    const shared = ["a", "b"];
    const sets = new Map<Value, Value>([
      ["k", shared],
      ["l", shared],
      ["s", new PyObject(new PyGlobal("builtins", "set"), tuple([1]))],
      ["f", new PyObject(new PyGlobal("builtins", "frozenset"), tuple([2]))],
    ]);
    expect(args(7)).toEqual(tuple(TXN, "u", "d", sets, id8(TID), " "));
    const error = new PyGlobal("builtins", "KeyError");
    expect(args(10)).toEqual(tuple(error, new PyObject(error, tuple(id8(7)))));
  });

  it("have their stores read, also where oid and serial are one string", (context) => {
    if (typeof found === "string") return context.skip(found);
    for (const [index, serial] of [
      [3, "zero"],
      [4, "set"],
      [5, "none"],
      [6, "set"],
    ] as const) {
      const head = pickleCodec.storeHead(message(index), peek(index), methodNamed(peek(index).method));
      expect(head?.serial, `message ${index}`).toBe(serial);
      expect(message(index).subarray(head?.oidAt, (head?.oidAt ?? 0) + 8)).toEqual(id8(index === 3 ? 0 : 7));
      expect(pickleCodec.storeTail(message(index).subarray(head?.restAt))).toBe(TXN);
      for (let cut = peek(index).argsAt; cut < message(index).length; cut++) {
        const seen = pickleCodec.storeHead(
          message(index).subarray(0, cut),
          peek(index),
          methodNamed(peek(index).method),
        );
        if (seen !== undefined) expect(seen).toEqual(head);
      }
    }
  });

  it("have their invalidations, ids and tids read", (context) => {
    if (typeof found === "string") return context.skip(found);
    expect(pickleCodec.invalidation(message(8), peek(8))).toEqual({
      tid: TID,
      oids: Buffer.concat([id8(7), id8(0), id8(7)]),
    });
    expect(pickleCodec.invalidationsReply(message(9), peek(9))).toEqual({ tid: TID, oids: id8(7) });
    expect(pickleCodec.invalidationsReply(message(0), peek(0))).toBeUndefined();
    expect(firstArg(pickleCodec, message(7), peek(7))).toBe(TXN);
    expect(lastArg(pickleCodec, message(4), peek(4))).toBe(TXN);
    expect(pickleCodec.shown(message(2), peek(2), methodNamed("loadBefore"))).toEqual({ tid: TID, exact: true });
  });
});
