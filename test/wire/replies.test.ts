import { describe, expect, it } from "vitest";
import type { Envelope } from "../../src/wire/codec.ts";
import { asTid } from "../../src/wire/ids.ts";
import { replyTid } from "../../src/wire/replies.ts";
import type { Value } from "../../src/wire/value.ts";
import { PyGlobal, PyObject, PyTuple } from "../../src/wire/value.ts";
import { DIALECTS, id8, native } from "./codec-vectors.ts";

const T1 = asTid(0x040d32f12beed388n);

describe.each(DIALECTS)("replyTid, $dialect", ({ dialect, codec, python2 }) => {
  const reply = (value: Value, flags = 0): unknown => {
    const payload = codec.encode(dialect, 5, flags, ".reply", value);
    return replyTid(codec, payload, codec.peek(payload) as Envelope);
  };

  it("tells a tid, nothing and an exception apart", () => {
    expect(reply(id8(T1))).toEqual({ kind: "tid", tid: T1 });
    expect(reply(id8(0))).toEqual({ kind: "tid", tid: 0n });
    expect(reply(null)).toEqual({ kind: "none" });
    expect(reply(5)).toEqual({ kind: "none" });
    expect(reply(new PyTuple([id8(T1), []]))).toEqual({ kind: "none" });
    expect(reply(new PyTuple([native("builtins.AssertionError", python2), new PyTuple([1])]), 2)).toEqual({
      kind: "exception",
      name: "builtins.AssertionError",
    });
  });

  it("reads an old server's pair of class and instance", () => {
    if (codec.encoding === "msgpack") return;
    const made = new PyGlobal("ZODB.POSException", "ReadOnlyError");
    const instance = new PyObject(new PyGlobal("ZODB.POSException", "_recon"), new PyTuple([made, new Map()]));
    expect(reply(new PyTuple([made, instance]))).toEqual({
      kind: "exception",
      name: "ZODB.POSException.ReadOnlyError",
    });
  });
});
