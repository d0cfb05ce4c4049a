import { describe, expect, it } from "vitest";
import { config, type Config } from "../explore/config.ts";
import { explore, shortest } from "../explore/explore.ts";
import { ALL_RULES, type Rules } from "../../src/ledger/rules.ts";
import type { ServerFamily } from "../../src/ledger/state.ts";
import { asTid } from "../../src/wire/ids.ts";
import { Script } from "./script.ts";

/*
 * Each rule is needed: switched off, a violation is found in a small world (or a script shows the difference);
 * switched on, the same world is looked at in whole and nothing is found. The first digit of a violation is the
 * number of the invariant.
 */

const NEWCOMER = { cold: 1, connects: 1, writers: 1 } as const;
const RECONNECT = { connects: 1, disconnects: 1, polls: 0 } as const;
const UNDO = { ends: ["incomplete-undo"] } as const;
/** Somebody commits at the server's own port, and the proxy reads the storage. */
const OUTSIDE = { witness: true, foreign: true } as const;
const BROKEN = { ends: ["unknown-commit"] } as const;

interface Needed {
  readonly rule: keyof Rules;
  readonly world: Partial<Config>;
  /** The violation without the rule. */
  readonly violation: string;
}

const NEEDED: readonly Needed[] = [
  {
    rule: "holdEvidence",
    world: { server: "new", kinds: "C", polls: 0 },
    violation: "1 server's invalidation of T1 incomplete",
  },
  { rule: "voteBarrier", world: { kinds: "C" }, violation: "1 at rest client B is at T0, the server at T1" },
  { rule: "grantIsEvidence", world: { kinds: "C" }, violation: "1 at rest client B is at T0, the server at T1" },
  {
    rule: "failedVoteIsNoBarrier",
    world: { kinds: "C", fails: true },
    violation: "6 stale read: computed at T0, delivered after the invalidation of T1",
  },
  { rule: "waitForDue", world: { server: "new", kinds: "C" }, violation: "1 evidence of T1 while the client knows T0" },
  { rule: "moveAhead", world: { commits: 1 }, violation: "1 evidence of T1 while the client knows T0" },
  {
    rule: "complete",
    world: { server: "new", kinds: "C", polls: 0 },
    violation: "1 server's invalidation of T1 incomplete",
  },
  {
    rule: "proofFirst",
    world: { commits: 1 },
    violation: "6 stale read: computed at T0, delivered after the invalidation of T1",
  },
  { rule: "question", world: { commits: 1 }, violation: "1 at rest client B is at T0, the server at T1" },
  {
    rule: "swallow",
    world: { server: "new", kinds: "C", commits: 1, polls: 2, reads: 2 },
    violation: "2 server's invalidation of T1 after T1",
  },
  {
    rule: "tellLate",
    world: { server: "new", delays: 1, lates: true, foreign: true, clients: 3, writers: 1, kinds: "M", polls: 0 },
    violation: "1 at rest client A is at T2 and does not know of T1",
  },
  {
    rule: "swallowOwn",
    world: { fanOut: "early", kinds: "M", commits: 1 },
    violation: "5 deadlock of an old client: server's invalidation of T1 inside its tpc_finish",
  },
  {
    rule: "registerFirst",
    world: { ...NEWCOMER, kinds: "M" },
    violation: "2 server's invalidation of T1 before the register reply",
  },
  {
    rule: "registerCovers",
    world: { server: "new", ...NEWCOMER, kinds: "C" },
    violation: "1 made up invalidation of T1 after T1 was shown",
  },
  {
    rule: "readOrphans",
    world: { ...RECONNECT, kinds: "C" },
    violation: "1 at rest client B is at T0, the server at T1",
  },
  {
    rule: "endSkippedUndo",
    world: { skips: 1, ...NEWCOMER, kinds: "U", ...UNDO },
    violation: "1 evidence of T1 while the client knows T0",
  },
  {
    rule: "mergeResume",
    world: { ...NEWCOMER, kinds: "C", polls: 0 },
    violation: "1 getInvalidations up to T1 incomplete",
  },
  {
    rule: "resumeFromShown",
    world: { cuts: 1, kinds: "C", polls: 0, ...BROKEN },
    violation: "2 own commit T2 after T0",
  },
  {
    rule: "resumeFromAnnounced",
    world: { ...NEWCOMER, kinds: "C", polls: 0 },
    violation: "2 getInvalidations tid T1 below announced T2",
  },
  {
    rule: "resumeWithinReach",
    world: { ...NEWCOMER, historyBytes: 0, nones: true },
    violation: "1 getInvalidations up to T1 incomplete",
  },
  {
    rule: "addLimbo",
    world: { cuts: 1, kinds: "C", polls: 0, ...BROKEN },
    violation: "1 getInvalidations up to T1 incomplete",
  },
  {
    rule: "endOthersInLimbo",
    world: { server: "new", cuts: 1, kinds: "C", polls: 1, commits: 1, ...BROKEN },
    violation: "1 evidence of T1 while the client knows T0",
  },
  {
    rule: "lookFirst",
    world: { ...OUTSIDE, kinds: "B", commits: 1, polls: 0 },
    violation: "1 server's invalidation of T1 incomplete",
  },
  {
    rule: "lookAfterGrant",
    world: { ...OUTSIDE, kinds: "C", polls: 0 },
    violation: "4 the message of T1 is taken for a late one",
  },
  {
    rule: "foreignAfterFinishing",
    world: { ...OUTSIDE, kinds: "M", polls: 0 },
    violation: "4 the message of T1 is taken for a late one",
  },
  {
    rule: "readPast",
    world: { witness: true, ...NEWCOMER, kinds: "C", commits: 1, historyBytes: 0 },
    violation: "4 getInvalidations was answered None",
  },
  {
    rule: "answerNone",
    world: { witness: true, ...NEWCOMER, kinds: "C", commits: 1, forgets: true },
    violation: "4 getInvalidations was answered None",
  },
  {
    rule: "readUndo",
    world: { witness: true, skips: 1, kinds: "U", commits: 1 },
    violation: "4 the proxy ended a session needlessly: incomplete-undo",
  },
  {
    rule: "limboIsForeign",
    world: { witness: true, cuts: 1, kinds: "C", commits: 1, polls: 0 },
    violation: "4 the proxy ended a session needlessly: unknown-commit",
  },
];

const LIMIT = 200_000;

describe("switched off, a rule leaves a hole that the explorer finds", () => {
  it.each(NEEDED)("$rule: $violation", { timeout: 300_000 }, ({ rule, world, violation }) => {
    const off = shortest(config({ ...world, rules: { ...ALL_RULES, [rule]: false } }), LIMIT);
    expect(off.violation, `${off.states} states`).toBe(violation);
    const on = explore(config(world), LIMIT);
    expect(on.violation).toBeUndefined();
    expect(on.complete).toBe(true);
  });
});

/** Rules whose absence no world shows: what they do, and for whom. */
describe("switched off, a rule changes what a script shows", () => {
  it("baseFromInvalidations: evidence does not wait for a commit that must have a higher tid", () => {
    const run = (baseFromInvalidations: boolean): string[] => {
      const s = new Script("old", { baseFromInvalidations });
      s.connected([1, 2]);
      s.lastTransaction(2);
      s.invalidation(1, 1, [9]); // of a commit that did not pass through here
      s.invalidation(2, 1, [9]);
      s.finishing(1, { created: [5] });
      return s.lastTransactionReply(2, 1);
    };
    expect(run(true)).toEqual(["2 < lastTransaction T1"]);
    expect(run(false)).toEqual([]);
  });

  it("resumeFromFloor: a client that asks for no last transaction first is told of what settled before it came", () => {
    const run = (resumeFromFloor: boolean): string[] => {
      const s = new Script("old", { resumeFromFloor });
      s.connected([1]);
      s.finishing(1, { created: [4] });
      s.finishReply(1, 1);
      s.register(3);
      s.registerReply(3);
      s.getInvalidations(3);
      return s.getInvalidationsReply(3, 0, [0, []]);
    };
    expect(run(true)).toEqual(["3 < getInvalidations(T0): T1 [4]"]);
    expect(run(false)).toEqual(["3 < getInvalidations(T0): T0 [] as it is"]);
  });

  it("oneLookForRead: where history was copied a load can show more than the last transaction, and does not wait for good", () => {
    const run = (oneLookForRead: boolean): boolean[] => {
      const s = new Script("old", { oneLookForRead });
      const look = (): number => {
        s.ledger.lookBegins();
        s.ledger.lookNames(asTid(1n));
        return s.ledger.take().length;
      };
      s.ledger.sightUp(asTid(1n));
      look();
      s.connected([2], 1);
      s.load(2);
      const isShown = s.loadReply(2, 5).length > 0;
      return [isShown, look() > 0, look() > 0];
    };
    expect(run(true)).toEqual([false, true, false]);
    expect(run(false)).toEqual([false, false, false]);
  });
});

/** Those that the explorer shows, too: what each does, in one order of events. */
const SHOWN: readonly {
  readonly rule: keyof Rules;
  readonly server: ServerFamily;
  readonly run: (s: Script) => string[];
  readonly on: readonly string[];
  readonly off: readonly string[];
}[] = [
  {
    rule: "moveAhead",
    server: "new",
    run: (s) => {
      s.load(2);
      s.finishing(1, { modified: [4] });
      s.finishReply(1, 1);
      s.loadReply(2, 1); // waits for what is due
      return s.invalidation(2, 1, [4]);
    },
    on: ["2 < T1 [4] as it is", "2 < load T1"],
    off: ["2 < load T1", "2 < T1 [4] as it is"],
  },
  {
    rule: "proofFirst",
    server: "old",
    run: (s) => {
      s.finishing(1, { created: [5] });
      return s.finishReply(1, 1).filter((line) => line.startsWith("2 <"));
    },
    on: [],
    off: ["2 < T1 [5] made up"],
  },
  {
    rule: "swallow",
    server: "old",
    run: (s) => {
      s.finishing(1, { modified: [4] });
      s.finishReply(1, 1);
      s.load(2);
      s.loadReply(2, 1);
      return s.invalidation(2, 1, [4]);
    },
    on: [],
    off: ["2 < T1 [4] as it is"],
  },
  {
    rule: "tellLate",
    server: "old",
    run: (s) => {
      s.load(2);
      s.loadReply(2, 0);
      s.invalidation(2, 2, [9]);
      return s.invalidation(2, 1, [8]);
    },
    on: ["late T1", "2 < T2 [8] late"],
    off: [],
  },
  {
    rule: "swallowOwn",
    server: "old",
    run: (s) => {
      s.finishing(1, { modified: [4] });
      s.invalidation(1, 1, [4]);
      return s.finishReply(1, 1);
    },
    on: ["1 < finish T1"],
    off: ["1 < T1 [4] as it is", "1 < finish T1"],
  },
  {
    rule: "registerFirst",
    server: "old",
    run: (s) => {
      s.register(3);
      return [...s.invalidation(3, 1, [4]), ...s.registerReply(3)];
    },
    on: ["3 < register T0", "foreign T1", "3 < T1 [4] as it is"],
    off: ["foreign T1", "3 < T1 [4] as it is", "3 < register T0"],
  },
  {
    rule: "registerCovers",
    server: "new",
    run: (s) => {
      s.register(3);
      s.finishing(1, { created: [5] });
      s.finishReply(1, 1);
      s.invalidation(2, 1, [5]);
      s.registerReply(3, 1);
      return s.tick(1000);
    },
    on: [],
    off: ["ask 3"],
  },
  {
    rule: "failedVoteIsNoBarrier",
    server: "old",
    run: (s) => {
      s.begin(1, { modified: [4] });
      s.vote(1);
      s.finishing(2, { created: [5] });
      return s.voteFailed(1);
    },
    on: ["1 < vote failed"],
    off: [],
  },
  {
    rule: "addLimbo",
    server: "new",
    run: (s) => {
      s.finishing(1, { created: [5] });
      s.serverGone(1);
      s.connected([3, 4], 1);
      s.getInvalidations(4);
      return [...s.getInvalidationsReply(4, 0, [1, []]), ...s.invalidation(3, 2, [9])];
    },
    on: ["4 < getInvalidations(T0): T1 [5]", "foreign T2", "3 < T2 [9 5] completed"],
    off: ["4 < getInvalidations(T0): T1 [] as it is", "foreign T2", "3 < T2 [9] as it is"],
  },
];

describe("what a rule does", () => {
  it.each(SHOWN)("$rule", ({ rule, server, run, on, off }) => {
    const shown = (rules: Partial<Rules>): string[] => {
      const s = new Script(server, rules);
      s.connected([1, 2]);
      return run(s);
    };
    expect(shown({})).toEqual(on);
    expect(shown({ [rule]: false })).toEqual(off);
  });
});

it("every rule has its test here", () => {
  const scripted: (keyof Rules)[] = ["baseFromInvalidations", "resumeFromFloor", "oneLookForRead"];
  const tested = [...NEEDED.map(({ rule }) => rule), ...scripted];
  expect([...tested].sort()).toEqual(Object.keys(ALL_RULES).sort());
});
