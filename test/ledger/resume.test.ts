import { describe, expect, it } from "vitest";
import { connected, Script } from "./script.ts";

/* Replies to `getInvalidations`. Session 1 commits, 2 looks on, 3 comes late. */

describe("the tid", () => {
  it("old: a reply that goes backwards is brought up to what is known", () => {
    const s = connected("old", [1]);
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    s.finishing(1, { created: [6] });
    s.finishReply(1, 3);
    s.register(3);
    s.registerReply(3);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 2, [1, []])).toEqual(["3 < getInvalidations(T2): T3 [6]"]);
  });

  it("new: what settles after the answer is announced by itself, not covered", () => {
    const s = connected("new", [1]);
    s.finishing(1, { created: [4] });
    s.finishReply(1, 1);
    s.register(3);
    expect(s.registerReply(3, 1)).toEqual(["3 < register T1"]);
    s.getInvalidations(3);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    expect(s.getInvalidationsReply(3, 0, [1, []])).toEqual(["3 < getInvalidations(T0): T1 [4]"]);
    expect(s.invalidation(3, 2, [])).toEqual(["3 < T2 [5] completed", "log T2: 1 completed, 0 made up"]);
  });

  it("old: a created-only commit before the registration is covered, though the server's tid lies below", () => {
    const s = connected("old", [1]);
    s.finishing(1, { created: [4] });
    s.finishReply(1, 1);
    s.register(3);
    s.registerReply(3);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual(["3 < lastTransaction T1"]);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 0, [0, []])).toEqual(["3 < getInvalidations(T0): T1 [4]"]);
  });

  it("old: the floor at registration covers it without a lastTransaction in between", () => {
    const s = connected("old", [1]);
    s.finishing(1, { created: [4] });
    s.finishReply(1, 1);
    s.register(3);
    s.registerReply(3);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 0, [0, []])).toEqual(["3 < getInvalidations(T0): T1 [4]"]);
  });

  it("old: is that of the moment when it goes out, so it does not fall below what went out before it", () => {
    const s = connected("old");
    s.register(3);
    s.registerReply(3);
    s.lastTransaction(3);
    s.lastTransactionReply(3, 0);
    s.getInvalidations(3);
    s.begin(1, { created: [5], modified: [4] });
    s.vote(1);
    s.voteGranted(1);
    s.finish(1);
    // The server's message is read, then the reply that shows it: both wait for the commit's full set.
    expect(s.invalidation(3, 1, [4])).toEqual([]);
    expect(s.getInvalidationsReply(3, 0, [1, [4]])).toEqual([]);
    expect(s.finishReply(1, 1)).toEqual([
      "1 < finish T1",
      "3 < T1 [4 5] completed",
      "3 < getInvalidations(T0): T1 [4 5]",
    ]);
  });
});

describe("the value", () => {
  it("one that is complete passes as it is", () => {
    const s = connected("new", [1]);
    s.finishing(1, { modified: [4], created: [5] });
    s.finishReply(1, 1);
    s.register(3);
    s.registerReply(3, 1);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 0, [1, [5, 4]])).toEqual(["3 < getInvalidations(T0): T1 [5 4] as it is"]);
  });

  it("the server's None stays None", () => {
    const s = connected("new", [1]);
    s.getInvalidations(1);
    expect(s.getInvalidationsReply(1, 0, undefined)).toEqual(["1 < getInvalidations(T0): None as it is"]);
  });
});

describe("the reach of the history", () => {
  it("an answer from below it is None", () => {
    const s = connected("new", [1], 7);
    s.getInvalidations(1);
    expect(s.getInvalidationsReply(1, 6, [7, [3]])).toEqual(["1 < getInvalidations(T6): None"]);
    s.getInvalidations(1);
    expect(s.getInvalidationsReply(1, 7, [7, []])).toEqual(["1 < getInvalidations(T7): T7 [] as it is"]);
  });

  it("rises with what is trimmed", () => {
    const s = new Script("new", {}, 900); // two commits
    s.connected([1]);
    for (let t = 1; t <= 4; t++) {
      s.finishing(1, { created: [t] });
      s.finishReply(1, t);
    }
    s.register(3);
    s.registerReply(3, 4);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 1, [4, []])).toEqual(["3 < getInvalidations(T1): None"]);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 2, [4, []])).toEqual(["3 < getInvalidations(T2): T4 [3 4]"]);
  });

  it("what somebody is still to be told of is not trimmed", () => {
    const s = new Script("new", {}, 900);
    s.connected([1, 2]);
    for (let t = 1; t <= 4; t++) {
      s.finishing(1, { created: [t] });
      s.finishReply(1, t);
    }
    expect(s.known(1)).toBe("[1]");
    expect(s.invalidation(2, 1, [])).toEqual(["2 < T1 [1] completed", "log T1: 1 completed, 0 made up"]);
  });
});
