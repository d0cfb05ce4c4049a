import { expect, it } from "vitest";
import type { Happening } from "../../src/happening/happening.ts";
import { oidSet } from "../../src/ledger/oid-set.ts";
import { changesOf, newTransaction } from "../../src/ledger/transaction.ts";
import { makeLogger } from "../../src/log/logger.ts";
import { RepairSummary } from "../../src/report/repair-summary.ts";
import { asTid } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";
import { MovedClock } from "../storage/moved-clock.ts";

interface Repaired {
  readonly upstream?: string;
  readonly storage?: string;
  readonly completed?: number;
  readonly synthesized?: number;
}

/** A repaired transaction that created these objects. */
function repaired(tid: bigint, created: readonly number[], rest: Repaired = {}): Happening {
  const { upstream = "main", storage = "1", completed = 0, synthesized = 0 } = rest;
  const oids = oidSet(packed(created));
  return {
    what: "repaired",
    settled: {
      tid: asTid(tid),
      order: 1,
      session: 1,
      changes: { ...changesOf(newTransaction(1)), created: oids, oids },
      oids,
      complete: true,
      owed: undefined,
      completed,
      synthesized,
      added: undefined,
      lastOwn: undefined,
      madeUp: undefined,
    },
    upstream,
    storage,
    client: "127.0.0.1:5",
  };
}

class World {
  readonly clock = new MovedClock();
  readonly lines: Record<string, unknown>[] = [];
  readonly summary: RepairSummary;

  constructor() {
    const write = (line: string): void => void this.lines.push(JSON.parse(line) as Record<string, unknown>);
    this.summary = new RepairSummary(makeLogger("info", { write }), this.clock);
  }

  happens(...happenings: Happening[]): void {
    for (const happening of happenings) this.summary.read(happening);
  }
}

const resumed: Happening = {
  what: "resumed",
  from: asTid(1n),
  tid: asTid(300n),
  reach: asTid(0n),
  upstream: "main",
  storage: "1",
  client: "127.0.0.1:5",
};

it("is one line for all that was repaired in a storage, a minute after the first of it", () => {
  const { clock, lines, summary } = new World();
  summary.read(repaired(255n, [1, 2], { completed: 3 }));
  clock.move(20_000);
  summary.read(repaired(254n, [3], { completed: 1, synthesized: 2 }));
  summary.read(resumed);
  clock.move(39_999);
  expect(lines).toEqual([]);
  clock.move(1);
  expect(lines).toEqual([
    {
      level: "info",
      at: expect.any(String) as string,
      upstream: "main",
      storage: "1",
      transactions: 2,
      created: 3,
      restored: 0,
      deleted: 0,
      completed: 4,
      synthesized: 2,
      resumed: 1,
      first: "00000000000000fe",
      last: "000000000000012c",
      durationMs: 60_000,
      msg: "invalidations repaired",
    },
  ]);
});

it("has no line where nothing was repaired, and no timer", () => {
  const world = new World();
  world.happens(
    { ...resumed, tid: undefined },
    { what: "not-resumed", from: asTid(1n), upstream: "main", storage: "1", client: undefined },
    { what: "asked" },
  );
  expect(world.clock.pending).toEqual([]);
  world.summary.tell();
  expect(world.lines).toEqual([]);
  world.happens(resumed);
  world.clock.move(60_000);
  expect(world.clock.pending).toEqual([]);
  world.clock.move(600_000);
  expect(world.lines).toHaveLength(1);
});

it("begins anew with each line", () => {
  const world = new World();
  world.happens(repaired(1n, [1], { completed: 1 }));
  world.clock.move(60_000);
  world.happens(repaired(2n, [2], { completed: 1 }), repaired(3n, [3], { completed: 1 }));
  world.clock.move(60_000);
  expect(world.lines).toMatchObject([
    { transactions: 1, first: "0000000000000001", last: "0000000000000001" },
    { transactions: 2, first: "0000000000000002", last: "0000000000000003" },
  ]);
});

it("has a line for each upstream and storage, whatever their names", () => {
  const world = new World();
  world.happens(
    repaired(1n, [1], { upstream: "a", storage: "b c" }),
    repaired(2n, [1], { upstream: "a b", storage: "c" }),
    repaired(3n, [1], { upstream: "a", storage: "b c" }),
    repaired(4n, [1], { upstream: "1 a", storage: "" }),
    repaired(5n, [1], { upstream: "1", storage: " a" }),
  );
  world.summary.tell();
  expect(world.lines.map(({ upstream, storage, transactions }) => [upstream, storage, transactions])).toEqual([
    ["a", "b c", 2],
    ["a b", "c", 1],
    ["1 a", "", 1],
    ["1", " a", 1],
  ]);
  expect(world.clock.pending).toEqual([]);
});
