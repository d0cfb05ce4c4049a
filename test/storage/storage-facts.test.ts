import { describe, expect, it } from "vitest";
import type { Happening } from "../../src/happening/happening.ts";
import { Memory } from "../../src/session/memory.ts";
import { Storage, type StorageHost } from "../../src/storage/storage.ts";
import { asTid } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";
import { MovedClock } from "./moved-clock.ts";
import { World } from "./world.ts";

describe("that there is no witness", () => {
  it("is told for the upstream of who is to register, also before anybody has", () => {
    const told: Happening[] = [];
    let unable: (() => void) | undefined;
    const host: StorageHost = {
      clock: new MovedClock(),
      report: (happening) => void told.push(happening),
      historyBytes: 1_000_000,
      share: (free) => new Memory(100_000).share(free),
      witness: {
        of: () => (witnessTold) => {
          unable = () => witnessTold.unable("no-iteration");
          return { progress: 0, ask() {}, read() {}, retry() {}, stop() {} };
        },
        settings: { pollMs: 1000, holdMs: 1000 },
      },
    };
    const storage = new Storage("server:1", "1", "old", host, () => undefined);
    expect(storage.waits("door", () => undefined)).toBe(true);
    unable?.();
    expect(told).toEqual([
      { what: "unwatched", family: "old", reason: "no-iteration", upstream: "door", storage: "1", client: undefined },
    ]);
  });
});

describe("what the ledger decides", () => {
  it("is reported where it is a fact, for the upstream of whom it concerns", () => {
    const world = new World();
    const committer = world.registered("door");
    const watcher = world.registered("other door");
    const finished = world.finishing(committer);
    world.invalidates(watcher, 2000n, 5);
    finished(2000n);
    world.registered("third door", { tid: 2000n });
    world.invalidates(watcher, 3000n, 5);
    expect(world.told).toMatchObject([
      {
        what: "repaired",
        upstream: "door",
        client: "client of door",
        storage: "1",
        settled: { tid: 2000n, completed: 1 },
      },
      { what: "foreign", upstream: "other door", storage: "1", tid: 3000n },
    ]);
  });

  it("is reported for a client's door where it came back and was told more than the server knew, or nothing", () => {
    const world = new World();
    const { ledger } = world.storage;
    const committer = world.registered();
    const [one, other] = [world.registered("door"), world.registered("other")];
    world.finishing(committer)(2000n);
    for (const [joined, asked] of [
      [one, 1000n],
      [other, 10n],
    ] as const) {
      const answer = { tid: asTid(2000n), oids: packed([]) };
      ledger.invalidationsReply(joined.number, asTid(asked), answer, { ...world.message(), order: 1 });
      world.storage.run(joined.number);
    }
    const resumed = { what: "resumed", reach: 1000n, storage: "1" };
    expect(world.toldOf("resumed")).toEqual([
      { ...resumed, from: 1000n, tid: 2000n, upstream: "door", client: "client of door" },
      { ...resumed, from: 10n, tid: undefined, upstream: "other", client: "client of other" },
    ]);
  });

  it("is reported, too, where the server has told it late", () => {
    const world = new World();
    const pair = world.registered("door");
    world.finishing(pair)(2000n);
    world.invalidates(pair, 1500n, 6);
    expect(world.toldOf("told-late")).toMatchObject([{ upstream: "door", client: "client of door", tid: 1500n }]);
  });

  it("is reported, too, where another database answers and where history is copied", () => {
    const world = new World();
    const one = world.registered("door");
    const other = world.registered();
    const { ledger } = world.storage;
    ledger.beginForwarded(one.number, 7, asTid(500n));
    ledger.storeForwarded(one.number, 7, "created", "zero", packed([1]), 0);
    const finish = ledger.finishForwarded(one.number, 7);
    ledger.finishReply(one.number, finish, asTid(500n), 0, { ...world.message(), order: 0 });
    world.lastTransaction(one, 10n);
    expect(other.member.done).toEqual(["end"]);
    expect(world.told).toMatchObject([
      { what: "copied-history", upstream: "door", client: "client of door", tid: 500n, known: 1000n },
      { what: "ledger-ended", upstream: "door", tid: 10n, proven: 1000n },
    ]);
  });

  it("is reported a second time as that, with the addresses of all who are there", () => {
    const world = new World();
    const setBack = (): void => {
      world.registered("door");
      world.registered("door");
      const last = world.registered("other", { server: "10.0.0.2:8100" });
      world.lastTransaction(last, 10n);
      for (let session = 1; session <= last.number; session++) world.storage.leave(session);
    };
    setBack();
    expect(world.toldOf("set-back-again")).toEqual([]);
    expect(world.storage.setbacks).toBe(1);
    setBack();
    expect(world.toldOf("ledger-ended")).toHaveLength(2);
    expect(world.toldOf("set-back-again")).toEqual([
      {
        what: "set-back-again",
        server: "server:1",
        address: "10.0.0.2:8100",
        addresses: ["10.0.0.1:8100", "10.0.0.2:8100"],
        times: 2,
        upstream: "other",
        storage: "1",
        client: "client of other",
      },
    ]);
    expect(world.storage.setbacks).toBe(2);
    world.clock.move(3_600_000);
    setBack();
    expect(world.toldOf("set-back-again")).toHaveLength(1);
  });
});

describe("a commit of which nobody knows whether it is in the database", () => {
  it("is told of once, with whose it is, before anybody is ended for it", () => {
    const world = new World();
    const committer = world.registered("door");
    const other = world.registered("other door");
    world.finishing(committer);
    const seen: number[] = [];
    other.member.onAction = () => void seen.push(world.toldOf("in-limbo").length);
    world.serverGone(committer);
    expect(other.member.done).toEqual(["end"]);
    expect(seen).toEqual([1]);
    world.storage.run(other.number);
    expect(world.toldOf("in-limbo")).toEqual([
      { what: "in-limbo", upstream: "door", client: "client of door", storage: "1" },
    ]);
  });

  it("is named also where that shows while another member's actions are carried out", () => {
    const world = new World();
    const committer = world.registered("door");
    const other = world.registered("other door");
    world.finishing(committer);
    other.member.onAction = () => {
      other.member.onAction = () => undefined;
      world.serverGone(committer);
    };
    world.storage.ledger.otherMessage(other.number, world.message());
    world.storage.run(other.number);
    expect(world.toldOf("in-limbo")).toMatchObject([{ client: "client of door" }]);
    expect(other.member.done).toEqual(["forward", "end"]);
  });
});

describe("a message that is held for over a second", () => {
  it("is told of once, with how long; the next one by itself", () => {
    const world = new World();
    const [committer, watcher] = [world.registered(), world.registered("door")];
    const finished = world.finishing(committer);
    world.invalidates(watcher, 2000n, 5);
    world.clock.move(750);
    expect(world.toldOf("held-long")).toEqual([]);
    world.clock.move(250);
    const first = { what: "held-long", heldMs: 1000, upstream: "door", client: "client of door", storage: "1" };
    expect(world.toldOf("held-long")).toEqual([first]);
    world.clock.move(10_000);
    expect(world.toldOf("held-long")).toEqual([first]);
    finished(2000n);
    expect(world.toldOf("held-over")).toEqual([{ ...first, what: "held-over", heldMs: 11_000 }]);

    const again = world.finishing(committer);
    world.invalidates(watcher, 2001n, 5);
    world.clock.move(1_500);
    expect(world.toldOf("held-long")).toHaveLength(2);
    again(2001n);
    expect(world.toldOf("held-over")).toHaveLength(2);
    // What was held for less than that is not told of.
    const third = world.finishing(committer);
    world.invalidates(watcher, 2002n, 5);
    world.clock.move(500);
    third(2002n);
    expect(world.toldOf("held-over")).toHaveLength(2);
  });

  it("is told of for each session for which one is held", () => {
    const world = new World();
    const [committer, one, other] = [world.registered(), world.registered(), world.registered()];
    world.finishing(committer);
    for (const watcher of [one, other]) world.invalidates(watcher, 2000n, 5);
    world.clock.move(1_500);
    expect(world.toldOf("held-long")).toHaveLength(2);
  });
});

describe("each commit", () => {
  it("is reported where somebody wants to hear of it, before what it leads to, also if nobody is owed it", () => {
    const world = new World("new", 1_000_000, { tellsCommits: true });
    const committer = world.registered("door");
    world.finishing(committer, 7)(2000n);
    const watcher = world.registered("other", { tid: 2000n });
    const finished = world.finishing(committer, 8);
    world.invalidates(watcher, 3000n, 5);
    finished(3000n);
    expect(world.told).toMatchObject([
      { what: "committed", upstream: "door", client: "client of door", tid: 2000n, changes: { created: packed([7]) } },
      { what: "committed", tid: 3000n, changes: { oids: packed([8]) } },
      { what: "repaired", settled: { tid: 3000n } },
    ]);
  });

  it("is not reported where its tpc_finish has come to nothing", () => {
    const world = new World("new", 1_000_000, { tellsCommits: true });
    world.finishing(world.registered())(undefined);
    expect(world.told).toEqual([]);
  });

  it("is reported to nobody who has not asked for that", () => {
    const world = new World();
    world.finishing(world.registered())(2000n);
    expect(world.told).toEqual([]);
  });
});

it("tells for how long each message was held", () => {
  const held: number[] = [];
  const world = new World("new", 1_000_000, { held: (heldMs) => held.push(heldMs) });
  const committer = world.registered("door");
  const watcher = world.registered("other");
  held.length = 0;
  const finished = world.finishing(committer);
  world.invalidates(watcher, 2000n, 5);
  expect(held).toEqual([]);
  world.clock.move(30);
  finished(2000n);
  expect(held).toContain(30);
});
