import { describe, expect, it, vi } from "vitest";
import type { Envelope } from "../../src/wire/codec.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";
import type { Value } from "../../src/wire/value.ts";
import { PyGlobal, PyObject, PyTuple } from "../../src/wire/value.ts";
import { voteOutcome, type VoteOutcome } from "../../src/wire/vote.ts";
import { CAPTURES, readCapture } from "./captured.ts";
import { DIALECTS, id8, native } from "./codec-vectors.ts";

const T1 = asTid(0x040d32f12beed388n);
const tuple = (...items: Value[]): PyTuple => new PyTuple(items);
const granted = { kind: "granted" };
const kept = { kind: "failed", cleared: false, shown: NO_TID };
const cleared = { kind: "failed", cleared: true, shown: NO_TID };

describe.each(DIALECTS)("voteOutcome, $dialect", ({ dialect, codec, python2 }) => {
  const old = dialect === "pickle1" || dialect === "pickle3-zeo4";
  const text = (name: string): Value => native(name, python2);
  const outcome = (value: Value, flags = 0): unknown => {
    const payload = codec.encode(dialect, 5, flags, ".reply", value);
    return voteOutcome(codec, payload, codec.peek(payload) as Envelope, old);
  };
  /** An exception as this server writes it: `args`, or a state of attributes. */
  const raised = (name: string, args: Value[], attributes?: Map<Value, Value>): unknown => {
    if (!old) return outcome(tuple(text(`ZODB.POSException.${name}`), attributes ?? tuple(...args)), 2);
    const made = new PyGlobal("ZODB.POSException", name);
    const state = attributes ?? new Map<Value, Value>([[text("args"), tuple(...args)]]);
    return outcome(tuple(made, new PyObject(new PyGlobal("ZODB.POSException", "_recon"), tuple(made, state))));
  };

  it("is granted by what is no exception", () => {
    expect(outcome(null)).toEqual(granted);
    if (old) return;
    expect(outcome([])).toEqual(granted);
    expect(outcome([id8(1), id8(2)])).toEqual(granted);
    expect(outcome([tuple(id8(1), Buffer.from("rs"))])).toEqual(granted);
  });

  it("is granted by the serials of a large undo, without decoding them", () => {
    if (old) return;
    const decode = vi.spyOn(codec, "args");
    expect(outcome(Array.from({ length: 300_000 }, (_, i) => id8(i)))).toEqual(granted);
    expect(decode).not.toHaveBeenCalled();
    decode.mockRestore();
  });

  it("failed and kept the transaction where conflicts came back", () => {
    if (old) return;
    const conflict = new Map<Value, Value>([
      [text("oid"), id8(1)],
      [text("serials"), tuple(id8(T1), id8(5))],
      [text("data"), Buffer.from("x")],
    ]);
    expect(outcome([conflict])).toEqual({ ...kept, shown: T1 });
    expect(outcome([id8(3), conflict])).toEqual({ ...kept, shown: T1 });
  });

  it("failed and cleared the transaction where an exception came back", () => {
    expect(raised("POSKeyError", [id8(1)])).toEqual(cleared);
    expect(raised("StorageError", [text("no space")])).toEqual(cleared);
    expect(raised("StorageTransactionError", [text("tpc_vote called with wrong transaction")])).toEqual(cleared);
  });

  it("shows the committed serial of a conflict", () => {
    const attributes = new Map<Value, Value>([
      [text("oid"), id8(1)],
      [text("serials"), tuple(id8(T1), id8(5))],
    ]);
    expect(raised("ConflictError", [], attributes)).toEqual({ ...cleared, shown: T1 });
    expect(raised("ReadConflictError", [], attributes)).toEqual({ ...cleared, shown: T1 });
  });

  it("changed nothing where the client votes already", () => {
    expect(raised("StorageTransactionError", [text("Already voting (locked)")])).toEqual(kept);
    expect(raised("StorageTransactionError", [text("Already voting (waiting)")])).toEqual(kept);
  });

  it("changed nothing where the id is another transaction's, or there is none", () => {
    expect(raised("StorageTransactionError", [140006485388752, 5])).toEqual(kept);
    expect(raised("StorageTransactionError", [null, 140006485388752])).toEqual(kept);
  });

  it("an exception without a known form cleared it", () => {
    if (old) {
      const error = new PyGlobal("exceptions", "KeyError");
      expect(outcome(tuple(error, new PyObject(error, tuple(1))))).toEqual(cleared);
      expect(outcome(tuple(error, null))).toEqual(cleared);
    } else {
      expect(outcome(tuple(text("builtins.KeyError"), tuple(1)), 2)).toEqual(cleared);
      expect(outcome(null, 2)).toEqual(cleared);
    }
  });
});

function failed(outcome: VoteOutcome, wasCleared: boolean, shows: boolean): boolean {
  return outcome.kind === "failed" && outcome.cleared === wasCleared && (outcome.shown !== NO_TID) === shows;
}

describe("voteOutcome of real replies", () => {
  interface Seen {
    readonly at: string;
    readonly outcome: ReturnType<typeof voteOutcome>;
  }
  const seen: Seen[] = [];
  for (const file of CAPTURES) {
    const votes = new Set<string>();
    for (const { codec, conn, dir, payload, more, oldServer, line } of readCapture(file)) {
      if (codec === undefined || more > 0) continue;
      const envelope = codec.peek(payload) as Envelope;
      const key = `${conn} ${envelope.id}`;
      if (dir === "c>s" && envelope.method === "vote") votes.add(key);
      else if (dir === "s>c" && envelope.method === ".reply" && votes.has(key)) {
        seen.push({ at: `${file}:${line}`, outcome: voteOutcome(codec, payload, envelope, oldServer) });
      }
    }
  }

  it("finds each kind", () => {
    const files = (test: (outcome: Seen["outcome"]) => boolean): string[] => [
      ...new Set(seen.filter((one) => test(one.outcome)).map(({ at }) => at.split(":")[0] as string)),
    ];
    expect(files((one) => one.kind === "granted").length).toBeGreaterThan(20);
    expect(files((one) => one.kind === "unclear")).toEqual([]);
    // "Already voting (locked)".
    expect(files((one) => failed(one, false, false))).toEqual(["order-z521py37", "order-z6py312"]);
    // Conflicts for the client.
    expect(files((one) => failed(one, false, true))).toEqual(["ccr-z521py37"]);
    // A conflict that was not resolved.
    expect(files((one) => failed(one, true, true))).toContain("z521py37-z521py37");
    expect(files((one) => failed(one, true, false))).toContain("M-z6py312-z6py312");
  });
});
