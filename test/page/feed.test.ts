import { describe, expect, it } from "vitest";
import { Feed } from "../../src/page/feed.ts";
import { tidHex } from "../../src/wire/ids.ts";
import { tidOf } from "../ledger/settled.ts";
import { MovedClock } from "../storage/moved-clock.ts";
import { committed, foreign, repaired } from "./happenings.ts";
import { oid, site } from "./site.ts";

describe("the feed", () => {
  it("tells how everything stands before a real proxy", async () => {
    const place = await site({ protocol: "Z5" });
    const { writer, watcher } = await place.pair();
    const tid = await writer.commit({ create: [oid(1), oid(2)] });
    await watcher.invalidation(tid);
    const { upstreams, storages, clients, moreClients, repaired: repairs, completed } = place.feed.overview(1);
    const server = `127.0.0.1:${place.server.port}`;
    expect(upstreams).toMatchObject([{ name: "main", server, state: "listening", clients: 2, protocols: { Z5: 2 } }]);
    expect(storages).toMatchObject([
      {
        server,
        storage: "1",
        family: "new",
        isObserved: false,
        commits: 1,
        patched: "no",
        witness: "off",
        known: tidHex(tid),
        evidence: { tid: tidHex(tid), created: 2 },
      },
    ]);
    expect(clients).toHaveLength(2);
    for (const client of clients) {
      expect(client).toMatchObject({ upstream: "main", life: "registered", protocol: "Z5", storage: "1", waiting: 0 });
      expect(Math.min(client.fromClient, client.fromServer)).toBeGreaterThan(0);
    }
    expect([moreClients, repairs, completed]).toEqual([0, 1, 1]);
  });

  it("keeps of evidence what was last, of so many storages at most", () => {
    const feed = new Feed(new MovedClock(), "1");
    const at = (storage: string): unknown =>
      feed.overview(0).storages.find((one) => one.storage === storage)?.evidence ?? undefined;
    const storage = {
      server: "s:1",
      family: "new",
      isObserved: false,
      commits: 0,
      foreign: 0,
      read: 0,
      witness: "off",
      setbacks: 0,
    } as const;
    const rest = {
      patched: "no",
      known: oid(0),
      reach: null,
      finishing: 0,
      historyTransactions: 0,
      historyBytes: 0,
    } as const;
    const door = { name: "main", listen: null, server: "s:1", addresses: [], state: "listening", clients: 0 } as const;
    feed.source(() => ({
      ...EMPTY,
      upstreams: [{ ...door, repair: "on", observed: 0, accepted: 0, protocols: {}, unrepaired: {} }],
      storages: ["1", "n1500"].map((name) => ({ ...storage, ...rest, storage: name })),
    }));
    feed.read(repaired(5, [1]));
    feed.read(repaired(6, [1, 2]));
    for (let n = 0; n < 2_000; n++) feed.read({ ...repaired(7, [3]), storage: `n${n}` });
    expect(at("1")).toEqual({ tid: tidHex(tidOf(6)), created: 2 });
    expect(at("n1500")).toBeUndefined();
  });

  it("counts a commit of others once, also where it is read later", () => {
    const clock = new MovedClock();
    const feed = new Feed(clock, "1");
    const second = Math.floor(clock.now() / 1000);
    feed.read(foreign(1, undefined));
    feed.read(foreign(1, [1]));
    feed.read(committed(2));
    clock.move(1_000);
    expect(feed.timeline.since(second, clock.now()).commits).toEqual([2]);
  });

  it("counts what would be repaired apart; it is evidence, too", () => {
    const clock = new MovedClock();
    const feed = new Feed(clock, "1");
    const second = Math.floor(clock.now() / 1000);
    feed.read(committed(5, { created: [1, 2] }));
    feed.read({ what: "observed", happening: repaired(5, [1, 2]) });
    feed.read({ what: "observed", happening: { what: "announced", repair: "completed" } });
    clock.move(1_000);
    expect(feed.overview(0)).toMatchObject({ repaired: 0, wouldRepair: 1 });
    expect(feed.timeline.since(second, clock.now())).toMatchObject({ commits: [1], repairs: [0], observed: [1] });
    expect(feed.transactions.before(9, 9)).toMatchObject([{ repair: "synthesized", isObserved: true }]);
  });

  it("counts a commit once that clients make who are repaired, and others see who are observed", () => {
    const clock = new MovedClock();
    const feed = new Feed(clock, "1");
    const second = Math.floor(clock.now() / 1000);
    feed.read(foreign(2, [2]));
    feed.read(committed(2));
    clock.move(1_000);
    expect(feed.timeline.since(second, clock.now()).commits).toEqual([1]);
  });

  it("tells of an upstream that observes what its clients show, and that nothing is repaired", async () => {
    const place = await site({ protocol: "Z5" }, { isObserved: true });
    const { writer, watcher } = await place.pair();
    const tid = await writer.commit({ create: [oid(1), oid(2)] });
    await watcher.invalidation(tid);
    const { upstreams, storages, clients, repaired: done, wouldRepair } = place.feed.overview(1);
    expect(upstreams).toMatchObject([{ name: "main", repair: "observe", observed: 2, protocols: { Z5: 2 } }]);
    expect(storages).toMatchObject([
      { isObserved: true, commits: 1, patched: "no", known: tidHex(tid), evidence: { tid: tidHex(tid), created: 2 } },
    ]);
    expect(clients.map(({ isObserved, life }) => [isObserved, life])).toEqual([
      [true, "relayed"],
      [true, "relayed"],
    ]);
    expect([done, wouldRepair]).toEqual([0, 1]);
    // Nothing was held, whatever a repair would have.
    const { held } = place.feed.timeline.since(0, place.feed.clock.now() + 1_000);
    expect(Math.max(...held)).toBe(0);
  });

  it("cuts the names of storages, which are a client's text", () => {
    const feed = new Feed(new MovedClock(), "1");
    feed.read({ ...committed(1, { created: [1] }), storage: "x".repeat(100_000) });
    feed.read({ ...repaired(1, [1]), storage: "x".repeat(100_000) });
    expect(feed.transactions.before(9, 9)).toMatchObject([{ storage: "x".repeat(100), repair: "synthesized" }]);
  });
});

const EMPTY = {
  clients: [],
  moreClients: 0,
  completed: 0,
  synthesized: 0,
  late: 0,
  resumed: 0,
  tooOld: 0,
  ended: {},
  observed: { resumed: 0, tooOld: 0, ended: 0 },
  guard: 0,
};
