import { describe, expect, it } from "vitest";
import { connected } from "./script.ts";

/* A reply that is too large to be kept. Session 1 commits, 2 reads, 3 commits, too. */

describe("its first bytes", () => {
  it("new: prove what had settled when it was called for, which goes before it", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    s.load(2);
    expect(s.largeBegun(2)).toEqual(["2 < T1 [5] made up", "log T1: 0 completed, 1 made up"]);
    expect(s.largeEnds(2, 1)).toEqual(["2 < large T1"]);
  });

  it("new: prove nothing of what settled behind the call", () => {
    const s = connected("new");
    s.load(2);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    expect(s.largeBegun(2)).toEqual([]);
    expect(s.largeEnds(2, 0)).toEqual(["2 < large T0"]);
    expect(s.invalidation(2, 1, [])).toEqual(["2 < T1 [5] completed", "log T1: 1 completed, 0 made up"]);
  });

  it("old: prove nothing: they show no tid", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 1);
    s.load(2);
    expect(s.largeBegun(2)).toEqual([]);
    expect(s.invalidation(2, 1, [4])).toEqual(["2 < T1 [4] as it is"]);
  });
});

describe("what came late was read before it, and is told before it", () => {
  it("old: once the lock is given back", () => {
    const s = connected("old");
    s.load(2);
    s.loadReply(2, 0);
    s.invalidation(2, 2, [9]);
    s.begin(2, { modified: [4] });
    s.vote(2);
    s.voteGranted(2);
    s.invalidation(2, 1, [8]);
    s.abort(2);
    s.load(2);
    expect(s.largeBegun(2)).toEqual(["2 < T2 [8] late"]);
  });

  it("new: once the client works", () => {
    const s = connected("new");
    s.invalidation(2, 2, [9]);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1"]);
    s.load(2);
    expect(s.largeBegun(2)).toEqual(["2 < T2 [8] late"]);
  });

  it("new: though an undo is due to it that waits for its message", () => {
    const s = connected("new");
    s.invalidation(2, 2, [9]);
    expect(s.invalidation(2, 1, [8])).toEqual(["late T1"]);
    s.finishing(1, { undoes: true });
    s.finishReply(1, 3);
    s.load(2);
    expect(s.largeBegun(2)).toEqual(["2 < T2 [8] late"]);
    expect(s.invalidation(2, 3, [7])).toEqual(["2 < T3 [7] as it is"]);
  });
});

describe("it flows", () => {
  it("where nothing is held and nothing finishing, or nobody knows the session", () => {
    const { ledger } = connected("new");
    expect([ledger.mayFlow(2, 0), ledger.mayFlow(9, 0)]).toEqual(["flow", "flow"]);
  });

  it("once the commits are over that were finishing when it began; later ones can't be in it", () => {
    const s = connected("new", [1, 2, 3]);
    s.finishing(1, { created: [5] });
    const arrived = s.ledger.newestFinish;
    expect(s.ledger.mayFlow(2, arrived)).toBe("wait");
    s.finishing(3, { created: [6] });
    expect(s.ledger.mayFlow(2, arrived)).toBe("wait");
    s.finishReply(1, 1);
    expect(s.ledger.mayFlow(2, arrived)).toBe("flow");
    expect(s.ledger.mayFlow(2, s.ledger.newestFinish)).toBe("wait");
  });

  it("within its own client's finish at once, and is kept there where another commit is finishing, too", () => {
    const s = connected("new");
    s.finishing(2, { created: [5] });
    expect(s.ledger.mayFlow(2, s.ledger.newestFinish)).toBe("flow");
    s.finishing(1, { created: [6] });
    expect(s.ledger.mayFlow(2, s.ledger.newestFinish)).toBe("hold");
  });

  it("behind what is held once that has gone: it waits with it for commits", () => {
    const s = connected("new");
    s.load(2);
    s.finishing(1, { created: [5] });
    expect(s.loadReply(2, 1)).toEqual([]);
    expect(s.ledger.mayFlow(2, 0)).toBe("wait");
  });

  it("not behind what waits for the server's own message, which stands behind it: it is kept", () => {
    const s = connected("new");
    s.load(2);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    expect(s.loadReply(2, 1)).toEqual([]);
    expect(s.ledger.mayFlow(2, 0)).toBe("hold");
  });

  it("not behind what is held within its own client's finish: everyone waits for the reply to that", () => {
    const s = connected("new");
    s.load(2);
    s.finishing(1, { created: [5] });
    expect(s.loadReply(2, 1)).toEqual([]);
    s.finishing(2, { created: [6] });
    expect(s.ledger.mayFlow(2, 0)).toBe("hold");
  });
});

describe("its last bytes", () => {
  it("don't go out where they show what is due, and the session is ended", () => {
    const s = connected("new");
    s.load(2);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    s.largeBegun(2);
    expect(s.largeEnds(2, 2)).toEqual(["end 2: reply-too-early"]);
  });

  it("go out where what is due has a higher tid", () => {
    const s = connected("new");
    s.load(2);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    s.largeBegun(2);
    expect(s.largeEnds(2, 1)).toEqual(["2 < large T1"]);
  });
});
