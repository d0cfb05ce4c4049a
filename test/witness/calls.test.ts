import { describe, expect, it } from "vitest";
import { Calls } from "../../src/witness/calls.ts";

describe("calls", () => {
  it("have ids of their own, and each reply is waited for once", () => {
    const calls = new Calls();
    const replies: string[] = [];
    calls.call("ping", [], () => replies.push("first"));
    calls.call("ping", [], () => replies.push("second"));
    expect([calls.pending, calls.isWaiting(1), calls.isWaiting(2), calls.isWaiting(3)]).toEqual([2, true, true, false]);
    calls.take(2)?.({ kind: "none" });
    expect([replies, calls.pending, calls.take(2), calls.isWaiting(2)]).toEqual([["second"], 1, undefined, false]);
  });

  it("are written as every server reads them, before it is known how this one writes", () => {
    const calls = new Calls();
    const register = calls.call("register", [calls.name("1"), true], () => undefined);
    // As ZEO 4.3.1's client on Python 2 writes it.
    expect(register.subarray(4).toString("latin1")).toBe("(K\x01I00\nU\x08register(U\x011I01\ntt.");
  });

  it.each([
    ["pickle1", "main", Buffer.from("main")],
    ["pickle3-py2", "main", Buffer.from("main")],
    ["pickle3", "main", "main"],
    ["pickle3-zeo4", "main", "main"],
    ["pickle1", "für", "für"],
    ["pickle3", "für", "für"],
  ] as const)("have names as text of the server's own: %s, %s", (dialect, name, value) => {
    const calls = new Calls();
    calls.dialect = dialect;
    expect(calls.name(name)).toEqual(value);
  });
});
