import { describe, expect, it } from "vitest";
import type { Dialect } from "../../src/wire/codec.ts";
import { asTid, tidBytes } from "../../src/wire/ids.ts";
import { loadReply, withEnd } from "../../src/wire/load-reply.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { PyGlobal, PyObject, PyTuple, type Value } from "../../src/wire/value.ts";

const DATA = Buffer.from("data");
const tid = (n: number): Buffer => tidBytes(asTid(BigInt(n)));

/** What old servers write in. */
const DIALECTS: readonly Dialect[] = ["pickle1", "pickle3-zeo4"];
const IDS: readonly Value[] = [7, new PyTuple([tid(1), tid(2)])];

function read(dialect: Dialect, value: Value, id: Value = 7) {
  const payload = pickleCodec.encode(dialect, id, 0, ".reply", value);
  const envelope = pickleCodec.peek(payload);
  if (envelope === undefined) throw new Error("no envelope");
  return { payload, envelope, reply: loadReply(payload, envelope) };
}

const raised = (module: string, name: string): Value => {
  const type = new PyGlobal(module, name);
  return new PyTuple([type, new PyObject(type, new PyTuple([tid(1)]))]);
};

describe.each(DIALECTS)("a reply to loadBefore, %s", (dialect) => {
  it("is a revision, the current one or with its end", () => {
    const current = read(dialect, new PyTuple([DATA, tid(5), null])).reply;
    expect(current).toEqual({ kind: "revision", data: DATA, serial: 5n, isCurrent: true });
    const old = read(dialect, new PyTuple([DATA, tid(5), tid(9)])).reply;
    expect(old).toEqual({ kind: "revision", data: DATA, serial: 5n, isCurrent: false });
  });

  it("says that there is none", () => {
    for (const value of [null, raised("ZODB.POSException", "POSKeyError")]) {
      expect(read(dialect, value).reply).toEqual({ kind: "absent" });
    }
  });

  it("can be anything else", () => {
    const others: Value[] = [
      raised("ZODB.POSException", "ReadConflictError"),
      raised("builtins", "KeyError"),
      DATA,
      new PyTuple([DATA, tid(5)]),
      new PyTuple([DATA, DATA, null]),
      new PyTuple([]),
    ];
    for (const value of others) expect(read(dialect, value).reply).toEqual({ kind: "other" });
  });

  it.each(IDS)("is the same with another end, and its id: %o", (id) => {
    const { payload, envelope, reply } = read(dialect, new PyTuple([DATA, tid(5), null]), id);
    if (reply.kind !== "revision") throw new Error(reply.kind);
    const ended = withEnd(payload, envelope, dialect, reply, asTid(9n));
    expect(ended.equals(pickleCodec.encode(dialect, id, 0, ".reply", new PyTuple([DATA, tid(5), tid(9)])))).toBe(true);
  });
});
