import { describe, expect, it } from "vitest";
import type { Envelope } from "../../src/wire/codec.ts";
import { ANY_TID, asTid, NO_TID } from "../../src/wire/ids.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { readRefused } from "../../src/wire/serialnos.ts";
import type { Value } from "../../src/wire/value.ts";
import { PyGlobal, PyObject, PyTuple } from "../../src/wire/value.ts";
import { CAPTURES, readCapture } from "./captured.ts";
import { id8, native } from "./codec-vectors.ts";

const T1 = asTid(0x040d32f12beed388n);
const NOTHING = { tid: NO_TID, exact: true };
const UNCLEAR = { oids: Buffer.alloc(0), shown: { tid: ANY_TID, exact: false } };
const PENDING = id8(0x040d32f12c96ec44n);
const tuple = (...items: Value[]): PyTuple => new PyTuple(items);

describe.each(["pickle1", "pickle3-zeo4"] as const)("readRefused, %s", (dialect) => {
  const python2 = dialect === "pickle1";
  const text = (name: string): Value => native(name, python2);
  const message = (pairs: Value): Buffer => pickleCodec.encode(dialect, 0, 1, "serialnos", tuple(pairs));
  const refused = (payload: Buffer): Buffer => readRefused(payload, pickleCodec.peek(payload) as Envelope).oids;
  const stored = (oid: number, serial: Value = PENDING): PyTuple => tuple(id8(oid), serial);
  const error = (name: string, state: Map<Value, Value>): Value => {
    const made = new PyGlobal("ZODB.POSException", name);
    return new PyObject(new PyGlobal("ZODB.POSException", "_recon"), tuple(made, state));
  };
  const conflict = error("ConflictError", new Map<Value, Value>([[text("serials"), tuple(id8(T1), PENDING)]]));

  it("names nothing where every store was accepted", () => {
    for (const count of [0, 1, 2, 3, 1000, 1001, 2500]) {
      const pairs = Array.from({ length: count }, (_, i) => stored(i, i % 3 === 0 ? Buffer.from("rs") : PENDING));
      expect(refused(message(pairs))).toEqual(Buffer.alloc(0));
    }
  });

  it("names the refused store, wherever it stands", () => {
    for (const before of [0, 1, 2, 998, 999, 1000, 1001, 2000]) {
      const pairs = Array.from({ length: before }, (_, i) => stored(i));
      expect(refused(message([...pairs, stored(7777, conflict)]))).toEqual(id8(7777));
      expect(refused(message([...pairs, stored(7777, conflict), stored(5), stored(8, conflict)]))).toEqual(
        Buffer.concat([id8(7777), id8(8)]),
      );
    }
  });

  it("finds the committed serial that a conflict names, and no pending one", () => {
    const payload = message([stored(1), stored(2, conflict)]);
    const envelope = pickleCodec.peek(payload) as Envelope;
    expect(readRefused(payload, envelope)).toEqual({ oids: id8(2), shown: { tid: T1, exact: true } });
    const other = message([stored(1), stored(0, new PyObject(new PyGlobal("exceptions", "KeyError"), tuple(id8(T1))))]);
    expect(readRefused(other, pickleCodec.peek(other) as Envelope)).toEqual({ oids: id8(0), shown: NOTHING });
  });

  it("reads a tuple of pairs too", () => {
    expect(refused(message(tuple(stored(1), stored(2, conflict))))).toEqual(id8(2));
    expect(refused(message(tuple(stored(1), stored(2), stored(3), stored(4))))).toEqual(Buffer.alloc(0));
  });

  it.each<readonly [string, Value]>([
    ["None", null],
    ["an oid of seven bytes", [tuple(Buffer.alloc(7), PENDING)]],
    ["an oid alone", [id8(1)]],
    ["a number for a serial", [tuple(id8(1), 5)]],
  ])("takes nothing from %s, which may show anything", (_name, pairs) => {
    const payload = message(pairs);
    expect(readRefused(payload, pickleCodec.peek(payload) as Envelope)).toEqual(UNCLEAR);
  });

  it("takes nothing from what was cut, wherever", () => {
    for (const pairs of [
      [stored(1)],
      [stored(1), stored(2)],
      [stored(1), stored(2, conflict)],
      [stored(2, conflict)],
    ]) {
      const payload = message(pairs);
      const envelope = pickleCodec.peek(payload) as Envelope;
      for (let cut = envelope.argsAt; cut < payload.length; cut++) {
        expect(readRefused(payload.subarray(0, cut), envelope), `cut at ${cut}`).toEqual(UNCLEAR);
      }
    }
  });

  it("looks through a million accepted stores, and finds one refused behind them, in bounded time", () => {
    const some = message(Array.from({ length: 2 }, (_, i) => stored(i)));
    // A batch of a thousand, a thousand times.
    const batch = message(Array.from({ length: 1000 }, (_, i) => stored(i)));
    const one = message([stored(4, conflict)]);
    const start = some.indexOf(0x5d) + 1;
    const items = batch.subarray(start, batch.indexOf("65" + (python2 ? "74742e" : "85742e"), start, "hex") + 1);
    const end = python2 ? Buffer.from("tt.") : Buffer.from([0x85, 0x74, 0x2e]);
    const head = some.subarray(0, start);
    const million = Array.from({ length: 1000 }, () => items);
    const began = performance.now();
    expect(refused(Buffer.concat([head, ...million, end]))).toEqual(Buffer.alloc(0));
    const single = one.subarray(one.indexOf(0x5d) + 1, one.length - end.length);
    expect(refused(Buffer.concat([head, ...million, single, end]))).toEqual(id8(4));
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe("readRefused of real messages", () => {
  it("finds refused stores in the recordings of old servers, and reads every message", () => {
    const files = new Set<string>();
    let accepted = 0;
    for (const file of CAPTURES) {
      for (const { codec, payload, more, oldServer } of readCapture(file)) {
        const envelope = more === 0 ? codec?.peek(payload) : undefined;
        if (envelope?.method !== "serialnos") continue;
        expect(oldServer).toBe(true);
        const { oids, shown } = readRefused(payload, envelope);
        if (oids.length === 0) accepted++;
        else files.add(`${file} ${shown.tid === NO_TID ? "" : "conflict"}`);
      }
    }
    expect(accepted).toBeGreaterThan(50);
    expect([...files].join("\n")).toMatch(/z3py27-z3py27 conflict/);
    expect([...files].join("\n")).toMatch(/z4py27-z4py27 conflict/);
  });
});
