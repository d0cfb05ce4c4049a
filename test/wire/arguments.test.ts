import { describe, expect, it } from "vitest";
import { beginArgs, firstArg, registerArg, tidArg } from "../../src/wire/arguments.ts";
import type { Envelope } from "../../src/wire/codec.ts";
import { ProtocolError } from "../../src/wire/errors.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";
import { messageIdOf } from "../../src/wire/message-id.ts";
import type { Value } from "../../src/wire/value.ts";
import { PyGlobal, PyObject, PyTuple } from "../../src/wire/value.ts";
import { CAPTURES, readCapture } from "./captured.ts";
import { DIALECTS, id8, native } from "./codec-vectors.ts";

const T1 = asTid(0x040d32f12beed388n);
const TXN = 140006485388752;
const tuple = (...items: Value[]): PyTuple => new PyTuple(items);

describe.each(DIALECTS)("arguments, $dialect", ({ dialect, codec, python2 }) => {
  const text = (name: string): Value => native(name, python2);
  const call = (method: string, ...args: Value[]): [Buffer, Envelope] => {
    const payload = codec.encode(dialect, 5, 0, method, tuple(...args));
    return [payload, codec.peek(payload) as Envelope];
  };

  it("register names the storage and asks for read-only access", () => {
    expect(registerArg(codec, ...call("register", text("1"), 0))).toBe("1");
    expect(registerArg(codec, ...call("register", text("main"), 1))).toBe("main");
    expect(registerArg(codec, ...call("register", text("1"), true))).toBe("1");
    expect(registerArg(codec, ...call("register", text("1"), false, text("cred")))).toBe("1");
    expect(registerArg(codec, ...call("register", Buffer.from("1")))).toBe("1");
  });

  it("tpc_begin names the transaction and, where history is copied, its tid", () => {
    const begin = (...args: Value[]): unknown => beginArgs(codec, ...call("tpc_begin", ...args));
    const empty = Buffer.alloc(0);
    expect(begin(TXN, empty, empty, new Map(), null, text(" "))).toEqual({ id: TXN, tid: undefined });
    expect(begin(TXN, empty, empty, new Map(), id8(T1), text(" "))).toEqual({ id: TXN, tid: T1 });
    expect(begin(TXN, empty, empty, Buffer.from("pickled"), id8(T1), text("p"))).toEqual({ id: TXN, tid: T1 });
    expect(begin(text("own"), empty, empty, new Map())).toEqual({ id: messageIdOf("own"), tid: undefined });
    if (codec.encoding === "msgpack") return;
    const odd = new Map<Value, Value>([
      [text("class"), new PyObject(new PyGlobal("os", "system"), tuple(text("id")), new Map())],
    ]);
    expect(begin(TXN, empty, empty, odd, id8(T1), text(" "))).toEqual({ id: TXN, tid: T1 });
  });

  it("getInvalidations names the client's newest tid", () => {
    expect(tidArg(codec, ...call("getInvalidations", id8(T1)))).toBe(T1);
    expect(tidArg(codec, ...call("getInvalidations", null))).toBe(NO_TID);
  });

  it.each<readonly [string, () => unknown]>([
    ["register of a number", () => registerArg(codec, ...call("register", 5))],
    ["register of nothing", () => registerArg(codec, ...call("register"))],
    ["tpc_begin of nothing", () => beginArgs(codec, ...call("tpc_begin"))],
    ["tpc_begin of a dictionary", () => beginArgs(codec, ...call("tpc_begin", new Map()))],
    ["tpc_begin with a tid of seven bytes", () => beginArgs(codec, ...call("tpc_begin", 1, 2, 3, 4, Buffer.alloc(7)))],
    ["getInvalidations of nothing", () => tidArg(codec, ...call("getInvalidations"))],
    ["getInvalidations of text", () => tidArg(codec, ...call("getInvalidations", text("x")))],
  ])("%s is refused", (_name, read) => {
    expect(read).toThrow(ProtocolError);
  });
});

describe("arguments of real calls", () => {
  it("are read in every recording", () => {
    const storages = new Set<string>();
    let begins = 0;
    let copied = 0;
    let asked = 0;
    for (const file of CAPTURES) {
      for (const { codec, dir, payload, more } of readCapture(file)) {
        if (codec === undefined || dir === "s>c" || more > 0) continue;
        const envelope = codec.peek(payload) as Envelope;
        if (envelope.method === "register") storages.add(registerArg(codec, payload, envelope));
        if (envelope.method === "getInvalidations") {
          expect(tidArg(codec, payload, envelope)).toBeGreaterThanOrEqual(NO_TID);
          asked++;
        }
        if (envelope.method !== "tpc_begin") continue;
        const { id, tid } = beginArgs(codec, payload, envelope);
        expect(id).toBe(firstArg(codec, payload, envelope));
        begins++;
        if (tid !== undefined) copied++;
      }
    }
    expect(storages).toContain("1");
    expect(begins).toBeGreaterThan(200);
    expect(copied).toBeGreaterThan(3);
    expect(asked).toBeGreaterThan(3);
  });
});
