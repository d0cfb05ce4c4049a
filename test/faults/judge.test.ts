import { describe, expect, it } from "vitest";
import { History, type TrueTransaction } from "./history.ts";
import { judgeClient, type Heard } from "./judge.ts";
import type { ActorEvent } from "./record.ts";

const tid = (n: number): string => `04000000000000${n.toString(16).padStart(2, "0")}`;
const oid = (n: number): string => n.toString(16).padStart(16, "0");

/** Transaction N creates object N, and changes object 100. */
const TRUTH: readonly TrueTransaction[] = [1, 2, 3, 4, 5, 6].map((n) => ({
  tid: tid(n),
  mark: `other-${n}`,
  records: [
    [oid(n), 1],
    [oid(100), n],
  ],
}));

const open: ActorEvent = ["open", false];
const verify = (connection: number, n: number, objects = 1): ActorEvent => ["verify", connection, tid(n), objects];
const shown = (connection: number, n: number): ActorEvent => ["shown", connection, tid(n)];
const told = (connection: number, n: number, ...oids: number[]): ActorEvent => [
  "invalidation",
  connection,
  tid(n),
  (oids.length === 0 ? [n, 100] : oids).map(oid),
];
const resumed = (connection: number, n: number, ...oids: number[]): ActorEvent => [
  "resumed",
  connection,
  tid(n),
  oids.map(oid),
];
/** A new client with an empty cache, when the server is at `n`. */
const fresh = (n: number): ActorEvent[] => [open, verify(1, 0, 0), shown(1, n)];
const ownCommit = (n: number): ActorEvent[] => [
  ["attempt", `own-${n}`, "modified"],
  ["finishing", `own-${n}`],
  shown(1, n),
  ["own", tid(n)],
  ["committed", `own-${n}`, tid(n), [oid(n), oid(100)]],
];

function judge(events: readonly ActorEvent[], truth = TRUTH, isThere = true, empty: string[] = []) {
  return judgeClient("it", events, new History(truth), { isThere, empty: new Set(empty) });
}

function found(...events: readonly ActorEvent[]): string[] {
  return judge(events).findings.map(({ kind, detail }) => `${kind}: ${detail}`);
}

function kinds(...events: readonly ActorEvent[]): string[] {
  return judge(events).findings.map(({ kind }) => kind);
}

function heard(...events: readonly ActorEvent[]): Heard {
  return judge(events).heard;
}

/** Transaction 3 is the client's own. */
const WITH_OWN = TRUTH.map((one) => (one.tid === tid(3) ? { ...one, mark: "own-3" } : one));

describe("judging what a client was told", () => {
  it("finds nothing where it was told of all after its cache was verified", () => {
    const events = [...fresh(3), told(1, 4), told(1, 5), told(1, 6)];
    expect(found(...events)).toEqual([]);
    expect(heard(...events)).toMatchObject({ due: 3, told: 3, connections: 1, resumed: 0, none: 0, late: 0 });
  });

  it("finds a commit that is missing", () => {
    expect(found(...fresh(3), told(1, 4), told(1, 6))).toEqual([
      expect.stringMatching(`^missing: ${tid(5)} .*: 2 of 2 oids: ${oid(5)} ${oid(100)}`),
    ]);
  });

  it("finds the last one missing only where it is still there", () => {
    const events = [...fresh(3), told(1, 4), told(1, 5)];
    expect(kinds(...events)).toEqual(["missing"]);
    expect(judge(events, TRUTH, false).findings).toEqual([]);
  });

  it("finds an oid that is left out", () => {
    expect(found(...fresh(4), told(1, 5, 100), told(1, 6))).toEqual([
      expect.stringMatching(`^incomplete: ${tid(5)} .*: 1 of 2 oids: ${oid(5)}$`),
    ]);
  });

  it("does not take an oid of a later transaction for one of this", () => {
    expect(kinds(...fresh(4), told(1, 5, 5), told(1, 6))).toEqual(["incomplete"]);
  });

  it("takes what is told under a later tid, as it is too late for its own", () => {
    const events = [...fresh(4), told(1, 5, 100), told(1, 6), told(1, 6, 5)];
    expect(found(...events)).toEqual([]);
    expect(heard(...events).late).toBe(1);
  });

  it("finds a tid behind a higher one", () => {
    expect(kinds(...fresh(4), told(1, 6), told(1, 5))).toEqual(["out of order"]);
  });

  it("finds a message that says again what was said", () => {
    expect(kinds(...fresh(4), told(1, 5), told(1, 5), told(1, 6))).toEqual(["told twice"]);
  });

  it("finds a tid that nobody has committed, but for transactions of nothing", () => {
    const events = [...fresh(5), told(1, 6), told(1, 7, 1)];
    expect(kinds(...events)).toEqual(["nobody's"]);
    expect(judge(events, TRUTH, true, [tid(7)]).findings).toEqual([]);
  });

  it("counts oids too many, and finds nothing in them", () => {
    const events = [...fresh(5), told(1, 6, 6, 100, 50)];
    expect(found(...events)).toEqual([]);
    expect(heard(...events).extras).toBe(1);
  });

  describe("over a disconnection", () => {
    const away = [...fresh(2), told(1, 3), verify(2, 3)];

    it("takes what its verification names", () => {
      expect(found(...away, shown(2, 5), resumed(2, 5, 4, 5, 100), told(2, 6))).toEqual([]);
    });

    it("takes it, though the client begins to write meanwhile, and does not take the reply to an undo for it", () => {
      const begun: ActorEvent = ["attempt", "own-9", "undone"];
      expect(found(...away, shown(2, 5), begun, resumed(2, 5, 4, 5, 100), told(2, 6))).toEqual([]);
      expect(heard(...fresh(5), begun, resumed(1, 6, 6, 100), told(1, 6)).resumed).toBe(0);
    });

    it("finds what its verification leaves out, though the same object is named for another one", () => {
      expect(found(...away, shown(2, 5), resumed(2, 5, 5, 100), told(2, 6))).toEqual([
        expect.stringMatching(`^incomplete: ${tid(4)} .*getInvalidations.*: ${oid(4)}$`),
      ]);
    });

    it("finds what its verification covers, and only an invalidation meanwhile has named", () => {
      expect(kinds(...away, shown(2, 4), told(2, 5), resumed(2, 5, 4, 100), told(2, 6))).toEqual(["incomplete"]);
    });

    it("finds what lies between the verification and the first that it is told of", () => {
      expect(kinds(...away, shown(2, 4), resumed(2, 4, 4, 100), told(2, 6))).toEqual(["missing"]);
    });

    it("finds what it was never told of on the connection before, and its cache has passed", () => {
      expect(kinds(...fresh(2), told(1, 4), verify(2, 4), shown(2, 6), resumed(2, 6, 5, 6, 100))).toEqual(["missing"]);
    });

    it("asks it of the next connection, where one ended before it had verified", () => {
      expect(found(...away, shown(2, 5), verify(3, 3), shown(3, 6), resumed(3, 6, 4, 5, 6, 100))).toEqual([]);
    });

    it("finds it missing where no connection has verified", () => {
      expect(kinds(...away, shown(2, 6))).toEqual(["missing", "missing", "missing"]);
    });

    it("asks nothing for a cache that is dropped, and counts that", () => {
      const events: ActorEvent[] = [...away, shown(2, 5), ["stale cache"], told(2, 6)];
      expect(found(...events)).toEqual([]);
      expect(heard(...events)).toMatchObject({ none: 1, resumed: 0 });
      expect(kinds(...away, shown(2, 5), ["stale cache"])).toEqual(["missing"]);
    });

    it("goes on where the cache file stands, whatever a life before it was told of", () => {
      const killed = [...fresh(2), told(1, 3), told(1, 4)];
      const again: ActorEvent[] = [["open", true], verify(1, 3), shown(1, 6)];
      expect(found(...killed, ...again, resumed(1, 6, 4, 5, 6, 100))).toEqual([]);
      expect(kinds(...killed, ...again, resumed(1, 6, 5, 6, 100))).toEqual(["incomplete"]);
    });

    it("does not take the first reply of a new process for one of the connection that had its number", () => {
      const again: ActorEvent[] = [["open", true], shown(1, 6), verify(1, 3)];
      expect(found(...fresh(2), told(1, 3), ...again, resumed(1, 6, 4, 5, 6, 100))).toEqual([]);
    });
  });

  describe("before anything shows it", () => {
    it("finds a reply that shows a tid that it was not told of", () => {
      expect(found(...fresh(4), shown(1, 5), told(1, 5), told(1, 6))).toEqual([
        `shown early: ${tid(5)}, before it was told of ${tid(5)}`,
      ]);
    });

    it("finds nothing in what shows what it was told of", () => {
      expect(found(...fresh(4), told(1, 5), shown(1, 5), told(1, 6), shown(1, 6))).toEqual([]);
    });

    it("finds what a poller has seen", () => {
      const events: ActorEvent[] = [
        ...fresh(5),
        ["behind", tid(6), tid(5)],
        told(1, 6),
        ["stale", oid(1), tid(6), tid(1)],
      ];
      expect(kinds(...events)).toEqual(["shown early", "shown early"]);
    });
  });

  describe("of its own commits", () => {
    it("finds nothing where it is told of those of others alone", () => {
      const events = [...fresh(2), ...ownCommit(3), told(1, 4), told(1, 5), told(1, 6)];
      expect(judge(events, WITH_OWN).findings).toEqual([]);
    });

    it("finds its own told to it", () => {
      const events = [...fresh(2), ...ownCommit(3), told(1, 3), told(1, 4), told(1, 5), told(1, 6)];
      expect(judge(events, WITH_OWN).findings.map(({ kind }) => kind)).toEqual(["told its own"]);
    });

    it("finds one of before its own that comes behind it, and one that never comes", () => {
      const late = [...fresh(1), ...ownCommit(3), told(1, 2), told(1, 4), told(1, 5), told(1, 6)];
      expect(judge(late, WITH_OWN).findings.map(({ kind }) => kind)).toEqual(["shown early", "out of order"]);
      const never = [...fresh(1), ...ownCommit(3), told(1, 4), told(1, 5), told(1, 6)];
      expect(judge(never, WITH_OWN).findings.map(({ kind }) => kind)).toEqual(["shown early", "missing"]);
    });

    it("does not take another's tid for its own: an old server answers an empty commit with that", () => {
      const empty: ActorEvent[] = [
        ["attempt", "own-9", "nothing"],
        ["finishing", "own-9"],
        ["own", tid(4)],
        ["committed", "own-9", tid(4), []],
      ];
      expect(kinds(...fresh(3), ...empty, told(1, 5), told(1, 6))).toEqual(["missing"]);
    });

    it("need not be told of one that it was killed behind the reply of, before it had noted more", () => {
      const killed: ActorEvent[] = [...fresh(2), ["attempt", "own-3", "created"], ["finishing", "own-3"], shown(1, 3)];
      const back = [open, verify(1, 2), shown(1, 6), resumed(1, 6, 3, 4, 5, 6, 100)];
      expect(judge([...killed, ...back], WITH_OWN).findings).toEqual([]);
    });

    it("has to be told of one whose reply never came", () => {
      const before: ActorEvent[] = [
        ...fresh(2),
        ["attempt", "own-3", "modified"],
        ["finishing", "own-3"],
        verify(2, 2),
      ];
      const rest = [shown(2, 6), resumed(2, 6, 4, 5, 6, 100)];
      expect(judge([...before, ...rest], WITH_OWN).findings.map(({ kind }) => kind)).toEqual(["incomplete"]);
    });
  });

  it("finds who has never been connected, and who could not go on", () => {
    expect(kinds(open)).toEqual(["stuck"]);
    expect(kinds(...fresh(6), ["failed", "an exception"])).toEqual(["stuck"]);
  });
});
