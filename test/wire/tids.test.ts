import { describe, expect, it } from "vitest";
import type { Envelope, Shown } from "../../src/wire/codec.ts";
import { asTid, NO_TID, readTid } from "../../src/wire/ids.ts";
import { methodNamed } from "../../src/wire/methods.ts";
import type { Value } from "../../src/wire/value.ts";
import { itemsOf, PyGlobal, PyObject, PyTuple } from "../../src/wire/value.ts";
import type { CapturedFrame } from "./captured.ts";
import { CAPTURES, readCapture } from "./captured.ts";
import { DIALECTS, id8, native } from "./codec-vectors.ts";

const T1 = asTid(0x040d32f12beed388n);
const T2 = asTid(0x040d32f12c96ec44n);
const OLD = asTid(0x0301010101010101n);
const tuple = (...items: Value[]): PyTuple => new PyTuple(items);
const exact = (tid: bigint): Shown => ({ tid: asTid(tid), exact: true });
/** Data that hold many things that look like tids. */
const DATA = Buffer.concat(
  Array.from({ length: 50 }, () => Buffer.from("\x08\xff\xff\xff\xff\xff\xff\xff\xff", "latin1")),
);

describe.each(DIALECTS)("shown, $dialect", ({ dialect, codec, python2 }) => {
  const old = dialect === "pickle1" || dialect === "pickle3-zeo4";
  const text = (name: string): Value => native(name, python2);
  const show = (method: string | undefined, value: Value, flags = 0, id: Value = 5): Shown => {
    const payload = codec.encode(dialect, id, flags, ".reply", value);
    return codec.shown(
      payload,
      codec.peek(payload) as Envelope,
      method === undefined ? undefined : methodNamed(method),
    );
  };

  it.each<readonly [string, Value, bigint]>([
    ["register", id8(T1), T1],
    ["register", null, NO_TID],
    ["lastTransaction", id8(T1), T1],
    ["lastTransaction", id8(0), NO_TID],
    ["tpc_finish", id8(T1), T1],
    ["tpc_finish", null, NO_TID],
    ["getTid", id8(T1), T1],
    ["getSerial", id8(T1), T1],
    ["load", tuple(DATA, id8(T1)), T1],
    ["loadEx", tuple(DATA, id8(T1)), T1],
    ["loadEx", tuple(DATA, id8(T1), Buffer.alloc(0)), T1],
    ["loadEx", tuple(id8(-1n & 0xffffffffffffffffn), id8(T1)), T1],
    ["zeoLoad", tuple(DATA, id8(T1), Buffer.alloc(0), null, null), T1],
    ["zeoLoad", tuple(DATA, id8(T1), Buffer.from("v"), DATA, id8(T2)), T2],
    ["loadBefore", tuple(DATA, id8(T1), null), T1],
    ["loadBefore", tuple(DATA, id8(T1), id8(T2)), T2],
    ["loadBefore", tuple(id8(5), id8(T1), id8(T2)), T2],
    ["loadBefore", tuple(null, id8(T1), id8(T2)), T2],
    ["loadBefore", null, NO_TID],
    ["loadSerial", DATA, NO_TID],
    ["loadSerial", id8(T2), NO_TID],
    ["iterator_start", 0, NO_TID],
    ["iterator_next", null, NO_TID],
    ["iterator_next", tuple(id8(T1), "p", DATA, DATA, new Map()), T1],
    ["iterator_next", tuple(id8(T1), "p", DATA, DATA, new Map([["deep", [tuple(id8(T2))]]])), T1],
    ["iterator_record_next", tuple(id8(1), id8(T1), DATA, null), T1],
    ["iterator_record_next", tuple(id8(1), id8(T1), null, null), T1],
    ["iterator_record_next", tuple(id8(1), id8(T1), DATA, id8(OLD)), T1],
    ["iterator_record_next", null, NO_TID],
    ["record_iternext", tuple(id8(1), id8(T1), DATA, id8(2)), T1],
    ["getInvalidations", tuple(id8(T1), [id8(T2), id8(3)]), T1],
    ["getInvalidations", tuple(id8(T1), []), T1],
    ["getInvalidations", null, NO_TID],
    ["new_oids", [id8(1), id8(2)], NO_TID],
    ["get_info", new Map([["x", id8(T1)]]), NO_TID],
    ["ping", null, NO_TID],
    ["vote", null, NO_TID],
    ["vote", [], NO_TID],
    ["vote", [id8(1), id8(T1)], NO_TID],
    ["vote", [tuple(id8(1), Buffer.from("rs")), tuple(id8(2), id8(T2))], NO_TID],
    ["undoInfo", tuple(), NO_TID],
  ])("%s shows what stands in its place", (method, value, tid) => {
    expect(show(method, value)).toEqual(exact(tid));
    expect(show(method, value, 0, tuple(id8(7), id8(0x7fff_ffff_ffff_ffffn)))).toEqual(exact(tid));
  });

  it("history shows the newest of its tids", () => {
    const record = (tid: bigint): Value =>
      new Map<Value, Value>([
        [text("time"), 1.5],
        [text("tid"), id8(tid)],
        [text("size"), 9],
      ]);
    expect(show("history", [record(T1), record(T2), record(OLD)])).toEqual(exact(T2));
    expect(show("history", [])).toEqual(exact(NO_TID));
  });

  it("undoInfo and undoLog show the tids that their ids are in base64", () => {
    const record = (tid: bigint): Value =>
      new Map<Value, Value>([
        [text("id"), Buffer.from(id8(tid).toString("base64"))],
        [text("user_name"), text("x")],
      ]);
    for (const method of ["undoInfo", "undoLog"]) {
      expect(show(method, [record(T1), record(T2)])).toEqual(exact(T2));
      const asText = new Map<Value, Value>([[text("id"), text(id8(T1).toString("base64"))]]);
      expect(show(method, [asText])).toEqual(exact(T1));
    }
  });

  it("vote shows the committed serial of a conflict, not the client's own", () => {
    const conflict = new Map<Value, Value>([
      [text("oid"), id8(1)],
      [text("serials"), tuple(id8(T1), id8(T2))],
      [text("data"), DATA],
    ]);
    expect(show("vote", [conflict])).toEqual(exact(T1));
  });

  it("server_status shows the last transaction", () => {
    expect(
      show("server_status", new Map<Value, Value>([[text("last-transaction"), text("040d32f12beed388")]])),
    ).toEqual(exact(T1));
  });

  if (!old) {
    it("an exception of a new server shows the committed serial of a conflict, and else nothing", () => {
      const attributes = new Map<Value, Value>([
        [text("message"), text("database conflict error")],
        [text("oid"), id8(T2)],
        [text("serials"), tuple(id8(T1), id8(T2))],
      ]);
      expect(show("vote", tuple(text("ZODB.POSException.ConflictError"), attributes), 2)).toEqual(exact(T1));
      expect(show("loadBefore", tuple(text("ZODB.POSException.POSKeyError"), tuple(id8(T2))), 2)).toEqual(
        exact(NO_TID),
      );
      expect(show("new_oids", tuple(text("builtins.KeyError"), tuple(1)), 2)).toEqual(exact(NO_TID));
    });
  } else {
    it("an exception of an old server shows the committed serial of a conflict, and else nothing", () => {
      const error = (name: string, state: Map<Value, Value>): Value => {
        const made = new PyGlobal("ZODB.POSException", name);
        return tuple(made, new PyObject(new PyGlobal("ZODB.POSException", "_recon"), tuple(made, state)));
      };
      const serials = new Map<Value, Value>([
        [text("oid"), id8(T2)],
        [text("serials"), tuple(id8(T1), id8(T2))],
      ]);
      expect(show("vote", error("ConflictError", serials))).toEqual(exact(T1));
      expect(show("loadBefore", error("POSKeyError", new Map([[text("args"), tuple(id8(T2))]])))).toEqual(
        exact(NO_TID),
      );
      expect(
        show(
          "loadBefore",
          tuple(
            new PyGlobal("exceptions", "KeyError"),
            new PyObject(new PyGlobal("exceptions", "KeyError"), tuple(id8(T2))),
          ),
        ),
      ).toEqual(exact(NO_TID));
    });
  }

  it.each<readonly [string | undefined, Value, bigint]>([
    [undefined, id8(T1), T1],
    [undefined, null, NO_TID],
    [undefined, tuple(id8(5), [id8(T2), new Map([["k", id8(T1)]])]), T2],
    ["frobnicate", new Map([["tid", id8(T1)]]), T1],
    ["frobnicate", 5, NO_TID],
    // Another shape than the method's.
    ["lastTransaction", tuple(id8(T1), id8(T2)), T2],
    ["loadBefore", tuple(Buffer.from("x"), 5, id8(T1)), T1],
    ["history", [tuple(id8(T1))], T1],
  ])("%s, not understood, shows the largest eight bytes, not as exact", (method, value, tid) => {
    expect(show(method, value)).toEqual({ tid, exact: false });
  });

  it("a message's id is no evidence", () => {
    expect(show(undefined, null, 0, tuple(id8(T1), id8(T2)))).toEqual({ tid: NO_TID, exact: false });
  });

  it("a cut reply raises nothing and claims nothing exact but what it has", () => {
    const payload = codec.encode(dialect, 5, 0, ".reply", tuple(DATA, id8(T1), id8(T2)));
    const envelope = codec.peek(payload) as Envelope;
    for (let cut = envelope.argsAt; cut < payload.length; cut++) {
      const shown = codec.shown(payload.subarray(0, cut), envelope, methodNamed("loadBefore"));
      expect(shown.exact && shown.tid !== T2 ? shown : undefined, `cut at ${cut}`).toBeUndefined();
    }
  });
});

interface Answered {
  readonly frame: CapturedFrame;
  readonly envelope: Envelope;
  readonly method: string;
}

/** Replies of a recording with the method that they answer. */
function answers(file: string): Answered[] {
  const calls = new Map<string, string>();
  const found: Answered[] = [];
  for (const frame of readCapture(file)) {
    if (frame.codec === undefined || frame.more > 0) continue;
    const envelope = frame.codec.peek(frame.payload) as Envelope;
    const key = `${frame.conn} ${envelope.id}`;
    if (frame.dir === "c>s") calls.set(key, envelope.method);
    else if (envelope.method === ".reply") {
      const method = calls.get(key);
      if (method !== undefined) found.push({ frame, envelope, method });
    }
  }
  return found;
}

/** What the decoded reply shows, told in another way than the codec does. */
function expectedTid(method: string, value: Value, flags: number): bigint | undefined {
  const at = (item: Value | undefined): bigint => (Buffer.isBuffer(item) && item.length === 8 ? readTid(item) : 0n);
  const items = itemsOf(value);
  if (flags === 2 || items?.[0] instanceof PyGlobal) return undefined;
  const max = (...tids: bigint[]): bigint => tids.reduce((a, b) => (a > b ? a : b), 0n);
  switch (method) {
    case "lastTransaction":
    case "tpc_finish":
    case "getTid":
    case "register":
      return at(value);
    case "loadEx":
      return at(items?.[1]);
    case "loadBefore":
      return max(at(items?.[1]), at(items?.[2]));
    case "iterator_next":
    case "getInvalidations":
      return at(items?.[0]);
    case "iterator_record_next":
    case "record_iternext":
      return at(items?.[1]);
    default:
      return undefined;
  }
}

describe("shown of real replies", () => {
  it.each(CAPTURES)("%s: every reply is understood", (file) => {
    let seen = 0;
    for (const { frame, envelope, method } of answers(file)) {
      const shown = frame.codec?.shown(frame.payload, envelope, methodNamed(method)) as Shown;
      const where = `${file}:${frame.line} ${method}`;
      if (!["nosuch", "answer_to_the_ultimate_question"].includes(method)) expect(shown.exact, where).toBe(true);
      const value = frame.codec?.args(frame.payload, envelope) as Value;
      const expected = expectedTid(method, value, envelope.flags);
      if (expected !== undefined) expect(shown.tid, where).toBe(expected);
      seen++;
    }
    expect(seen).toBeGreaterThan(0);
  });

  it("the conflicts in them name committed serials", () => {
    const conflicts = CAPTURES.flatMap(answers).filter(
      ({ frame, envelope, method }) =>
        method === "vote" && frame.codec?.shown(frame.payload, envelope, methodNamed(method)).tid !== NO_TID,
    );
    const files = new Set(conflicts.map(({ frame }) => frame.file));
    expect(files).toContain("ccr-z521py37");
    expect(files).toContain("z6py312-z6py312");
    expect(files).toContain("M-z6py312-z6py312");
  });

  it("undo logs and histories in them show what their server had last committed", () => {
    for (const method of ["undoInfo", "history"]) {
      const replies = CAPTURES.flatMap(answers).filter((answer) => answer.method === method);
      const shown = replies.map(
        ({ frame, envelope }) => frame.codec?.shown(frame.payload, envelope, methodNamed(method)).tid as bigint,
      );
      expect(shown.filter((tid) => tid > 0x0400_0000_0000_0000n).length).toBeGreaterThan(5);
    }
  });
});
