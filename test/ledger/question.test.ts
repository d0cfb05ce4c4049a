import { describe, expect, it } from "vitest";
import { connected } from "./script.ts";

/* When the proxy asks. Session 1 commits, 2 looks on, 3 comes late. */

describe("when", () => {
  it("old: at once for a silent commit, after a second for another", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.tick(999)).toEqual([]);
    expect(s.tick(1000)).toEqual(["ask 2"]);
  });

  it("old: once, until it is answered", () => {
    const s = connected("old");
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    expect(s.tick(5000)).toEqual([]);
  });

  it("old: not before the register reply was read", () => {
    const s = connected("old", [1]);
    s.register(3);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.tick(5000)).toEqual([]);
    expect(s.registerReply(3)).toEqual(["ask 3", "3 < register T0"]);
  });

  it("old: again, as soon as the reply is read, for a silent commit that settled meanwhile", () => {
    const s = connected("old");
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    s.finishing(1, { created: [6] });
    expect(s.finishReply(1, 2)).toEqual(["1 < finish T2"]); // one question at a time
    expect(s.questionReply(2, 1)).toEqual(["ask 2", "2 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
    expect(s.questionReply(2, 2)).toEqual(["2 < T2 [6] made up", "log T2: 0 completed, 1 made up"]);
  });

  it("new: after a second, and the server's own message still counts", () => {
    const s = connected("new");
    s.finishing(1, { created: [5], undoes: true });
    expect(s.finishReply(1, 1)).toEqual(["1 < finish T1"]);
    expect(s.tick(999)).toEqual([]);
    expect(s.tick(1000)).toEqual(["ask 2"]);
    expect(s.invalidation(2, 1, [9])).toEqual(["2 < T1 [9 5] completed", "log T1: 1 completed, 0 made up"]);
    expect(s.questionReply(2, 1)).toEqual([]);
  });
});

describe("what is due does not starve", () => {
  it("old: three pipelined loads prove nothing and pass, the question's reply tells", () => {
    const s = connected("old");
    for (let i = 0; i < 3; i++) s.load(2);
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    for (let i = 0; i < 3; i++) expect(s.loadReply(2, 0)).toEqual(["2 < load T0"]);
    s.load(2);
    expect(s.questionReply(2, 1)).toEqual(["2 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
  });

  it("new: a question inside a finish: its reply proves what it covers", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.finishing(2, { created: [6] });
    s.finishReply(1, 1);
    expect(s.tick(1000)).toEqual(["ask 2"]);
    // The second commit's tid could be the lower one, so both wait for it.
    expect(s.questionReply(2, 1)).toEqual([]);
    expect(s.finishReply(2, 2)).toEqual([
      "2 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "2 < finish T2",
      "1 < finish T1",
    ]);
  });
});

it("new: its reply proves what had settled when it was asked, and nothing that settled on the way", () => {
  const s = connected("new");
  s.finishing(1, { created: [5] });
  s.finishReply(1, 1);
  expect(s.tick(1000)).toEqual(["ask 2"]);
  s.finishing(1, { created: [6] });
  s.finishReply(1, 2);
  expect(s.questionReply(2, 2)).toEqual(["2 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
  expect(s.invalidation(2, 2, [])).toEqual(["2 < T2 [6] completed", "log T2: 1 completed, 0 made up"]);
});
