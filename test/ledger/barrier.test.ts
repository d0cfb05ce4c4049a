import { describe, expect, it } from "vitest";
import { connected } from "./script.ts";

/* An old server's granted vote: every earlier commit is over. Session 1 commits, 2 looks on, 3 comes late. */

describe("a granted vote", () => {
  it("what settles while it is held goes before it, so never inside the finish that follows", () => {
    const s = connected("old");
    s.finishing(1, { created: [5] });
    s.begin(2, { modified: [4] });
    s.vote(2);
    expect(s.voteGranted(2)).toEqual([]); // 1 is finishing
    expect(s.finishReply(1, 1)).toEqual([
      "1 < finish T1",
      "2 < T1 [5] made up",
      "log T1: 0 completed, 1 made up",
      "2 < vote",
    ]);
  });

  it("what was due when it is read is made up before it", () => {
    const s = connected("old");
    s.finishing(1, { created: [5], modified: [4] });
    s.finishReply(1, 1);
    s.begin(2, { modified: [4] });
    s.vote(2);
    expect(s.voteGranted(2)).toEqual(["2 < T1 [4 5] made up", "log T1: 0 completed, 1 made up", "2 < vote"]);
  });
});

describe("a failed vote is no barrier", () => {
  it.each(["old", "new"] as const)(
    "%s: what settles is not moved ahead of it, nor of an older read behind it",
    (server) => {
      const s = connected(server);
      s.begin(1, { modified: [4] });
      s.vote(1);
      s.load(1);
      s.finishing(2, { created: [5] });
      expect(s.voteFailed(1)).toEqual(["1 < vote failed"]);
      expect(s.loadReply(1, 0)).toEqual(["1 < load T0"]);
      s.finishReply(2, 1);
    },
  );
});
