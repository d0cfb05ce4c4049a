import { describe, expect, it } from "vitest";
import { Calls } from "../../src/session/calls.ts";
import { QuestionIds } from "../../src/session/question-ids.ts";
import type { Stamp } from "../../src/ledger/state.ts";
import { NO_TID } from "../../src/wire/ids.ts";
import { methodNamed, UNKNOWN } from "../../src/wire/methods.ts";

const at = (order: number): Stamp => ({ order, proven: NO_TID });
const vote = { sort: "vote", stamp: at(3), transaction: 7 } as const;
const newCalls = (): Calls => new Calls(new QuestionIds("a b"));
const last = { sort: "last", stamp: at(3) } as const;

describe("calls", () => {
  it("are found once, with their method and when they were forwarded", () => {
    const calls = newCalls();
    const methods = ["loadBefore", "ping", "someNewMethod", "get_size_info"].map(methodNamed);
    methods.forEach((method, n) => calls.addPlain(n, method, at(n * 1_000_000_007)));
    methods.forEach((method, n) => {
      expect(calls.takePlain(n)).toEqual({ method, order: n * 1_000_000_007 });
      expect(calls.takePlain(n)).toBeUndefined();
    });
    expect(methods[2]).toBe(UNKNOWN);
  });

  it("can be looked at before they are taken", () => {
    const calls = newCalls();
    const method = methodNamed("loadBefore");
    calls.addPlain(1, method, at(5));
    calls.add(2, vote);
    expect([calls.plain(1), calls.plain(2), calls.plain(3)]).toEqual([{ method, order: 5 }, undefined, undefined]);
    expect(calls.takePlain(1)).toEqual({ method, order: 5 });
    expect(calls.plain(1)).toBeUndefined();
  });

  it("that the ledger reads are objects, whatever their id", () => {
    const calls = newCalls();
    for (const id of [0, 5, "(1,2)"]) {
      calls.add(id, vote);
      expect(calls.special(id)).toBe(vote);
      expect(calls.takePlain(id)).toBeUndefined();
      calls.answered(id);
      expect(calls.special(id)).toBeUndefined();
    }
  });

  it("never share an id where one of them is read", () => {
    const calls = newCalls();
    calls.add(1, vote);
    calls.addPlain(2, methodNamed("ping"), at(0));
    expect(() => calls.add(1, last)).toThrow("id-in-use");
    expect(() => calls.addPlain(1, methodNamed("ping"), at(0))).toThrow("id-in-use");
    expect(() => calls.add(2, last)).toThrow("id-in-use");
    // Of two that nobody reads each has a reply, the older one first.
    calls.addPlain(2, methodNamed("loadBefore"), at(1));
    expect(calls.takePlain(2)).toMatchObject({ method: { name: "ping" }, order: 0 });
    expect(calls.takePlain(2)).toMatchObject({ method: { name: "loadBefore" }, order: 1 });
    calls.answered(1);
    calls.add(1, last);
    expect(calls.special(1)).toBe(last);
  });

  it("of the proxy's own have ids of which no other call waits, nor may take one", () => {
    const ids = new QuestionIds("a b");
    const [first, second, third] = [ids.next(), ids.next(), ids.next()];
    const calls = newCalls();
    calls.addPlain(second, methodNamed("lastTransaction"), at(0));
    expect(calls.addQuestion()).toBe(first);
    expect(calls.special(first)).toEqual({ sort: "question" });
    expect(() => calls.addPlain(first, methodNamed("ping"), at(0))).toThrow("that of the proxy's own call");
    expect(() => calls.add(first, last)).toThrow("id-in-use");
    expect(calls.addQuestion()).toBe(third);
    calls.answered(first);
    calls.addPlain(first, methodNamed("ping"), at(0));
    expect(calls.takePlain(first)?.method.name).toBe("ping");
    expect(calls.takePlain(second)?.method.name).toBe("lastTransaction");
    expect(calls.special(third)).toEqual({ sort: "question" });
  });

  it("take up memory until they are answered, about as much as is said", () => {
    const calls = newCalls();
    expect(calls.bytes).toBe(0);
    calls.add(1, last);
    const one = calls.bytes;
    calls.addQuestion();
    expect(calls.bytes).toBe(2 * one);
    for (let id = 2; id < 102; id++) calls.addPlain(id, methodNamed("ping"), at(0));
    const plain = calls.bytes - 2 * one;
    calls.answered(1);
    expect(calls.bytes).toBe(one + plain);
    for (let id = 2; id < 102; id++) calls.takePlain(id);
    expect(calls.bytes).toBe(one);
    expect(one).toBeGreaterThan(100);
    expect(one).toBeLessThan(300);
    expect(plain).toBeGreaterThan(100 * 40);
    expect(plain).toBeLessThan(100 * 80);
  });

  it("are at most a million that wait", () => {
    const calls = newCalls();
    const ping = methodNamed("ping");
    for (let id = 0; id < 1_000_000; id++) calls.addPlain(id, ping, at(0));
    expect(() => calls.addPlain(1_000_000, ping, at(0))).toThrow(
      "too-many-calls at offset 0: expected at most 1000000 calls that wait for their replies, got one more",
    );
    calls.answered(5);
    calls.addPlain(1_000_000, ping, at(0));
  });

  it("are at most a thousand tpc_finish that wait", () => {
    const calls = newCalls();
    const finish = { sort: "finish", stamp: at(0), number: 1 } as const;
    for (let id = 0; id < 1000; id++) {
      calls.mayFinish(id);
      calls.add(id, finish);
    }
    calls.add(1000, { sort: "last", stamp: at(0) });
    calls.answered(1000);
    expect(() => calls.mayFinish(1001)).toThrow(
      "too-many-calls at offset 0: expected at most 1000 tpc_finish that wait for their replies, got one more",
    );
    calls.answered(5);
    calls.mayFinish(1001);
    expect(() => calls.mayFinish(6)).toThrow("id-in-use");
  });

  it("are counted, and one whose reply the ledger reads is told of while it waits", () => {
    const calls = newCalls();
    expect([calls.size, calls.hasSpecial]).toEqual([0, false]);
    calls.addPlain(1, methodNamed("ping"), at(0));
    expect([calls.size, calls.hasSpecial]).toEqual([1, false]);
    calls.add(2, vote);
    expect([calls.size, calls.hasSpecial]).toEqual([2, true]);
    calls.answered(2);
    calls.takePlain(1);
    expect([calls.size, calls.hasSpecial]).toEqual([0, false]);
  });

  it("that share an id are refused with whose it is", () => {
    const calls = newCalls();
    calls.add(1, vote);
    const expected =
      "id-in-use at offset 0: expected a message id that no other call has, got one that waits for its reply";
    expect(() => calls.add(1, last)).toThrow(expected);
  });
});
