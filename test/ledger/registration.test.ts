import { describe, expect, it } from "vitest";
import { connected, Script } from "./script.ts";

/* What a newcomer is told. Session 1 commits, 2 looks on, 3 comes late. */

describe("what settles while register is on its way", () => {
  it("old: what settles between register and its reply is told behind that reply, after proof", () => {
    const s = connected("old", [1]);
    s.register(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    expect(s.registerReply(3)).toEqual(["ask 3", "3 < register T0"]);
    expect(s.questionReply(3, 1)).toEqual(["3 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
  });

  it("new: the tid in the register reply covers what settled before", () => {
    const s = connected("new", [1]);
    s.register(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    expect(s.registerReply(3, 1)).toEqual(["3 < register T1"]);
    expect(s.ledger.isQuiet(3)).toBe(true);
  });

  it("new: what settled but is above that tid is due", () => {
    const s = connected("new", [1]);
    s.register(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.registerReply(3, 0);
    s.lastTransaction(3);
    expect(s.invalidation(3, 1, [])).toEqual(["3 < T1 [5] completed", "log T1: 1 completed, 0 made up"]);
  });

  it("old: the server's message before the register reply goes right behind it", () => {
    const s = connected("old", [1]);
    s.register(3);
    s.finishing(1, { modified: [4], created: [5] });
    expect(s.invalidation(3, 1, [4])).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.registerReply(3)).toEqual(["3 < register T0", "3 < T1 [4 5] completed", "log T1: 1 completed, 0 made up"]);
  });
});

it("what waits for the reply to register is not told where the server goes before it", () => {
  const s = connected("old", [1]);
  s.register(3);
  expect(s.invalidation(3, 1, [4])).toEqual([]);
  expect(s.ledger.isQuiet(3)).toBe(false);
  expect(s.serverGone(3)).toEqual(["close client 3"]);
});

it.each([1, 2])("new: what the reply to register covers (T%i) is owed no more, and can be forgotten", (last) => {
  const s = new Script("new", {}, 0);
  s.connected([1]);
  s.register(3);
  s.finishing(1, { created: [5] });
  s.finishReply(1, 1);
  expect(s.known(1)).toBe("[5]");
  s.registerReply(3, last);
  s.tick(0);
  expect(s.known(1)).toBe("not settled");
});

it("what shows nothing does not wait for the reply to register", () => {
  const s = connected("old", [1]);
  s.register(3);
  expect(s.other(3, "info")).toEqual(["3 < info"]);
});

describe("a register that failed", () => {
  it("is tried again on the same connection (read-only fallback)", () => {
    const s = connected("old", [1]);
    s.register(3);
    expect(s.registerFailed(3)).toEqual(["3 < register failed"]);
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    s.register(3);
    expect(s.registerReply(3)).toEqual(["3 < register T0"]);
    s.finishing(1, { modified: [4], created: [6] });
    s.finishReply(1, 2);
    expect(s.invalidation(3, 2, [4])).toEqual(["3 < T2 [4 6] completed", "log T2: 1 completed, 0 made up"]);
  });

  it("while something was due: nobody waits for that session any more", () => {
    const s = connected("old");
    s.register(3);
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [4])).toEqual(["2 < T1 [4 5] completed"]);
    expect(s.registerFailed(3)).toEqual(["3 < register failed", "log T1: 1 completed, 0 made up"]);
  });

  it("gives back what was held before it: the reply to a call from before, which showed a tid", () => {
    const s = connected("new", [1]);
    s.load(3);
    s.register(3);
    s.finishing(1, { modified: [4] });
    expect(s.loadReply(3, 5)).toEqual([]);
    expect(s.registerFailed(3)).toEqual(["3 < load T5", "3 < register failed"]);
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
  });
});
