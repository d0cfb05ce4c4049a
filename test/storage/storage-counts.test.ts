import { describe, expect, it } from "vitest";
import { asTid } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";
import { World } from "./world.ts";

describe("what is counted of a storage", () => {
  it("is a repaired transaction once, each client that was told of it, and the oids that the server left out", () => {
    const world = new World();
    const committer = world.registered();
    const watchers = [world.registered(), world.registered()];
    const finished = world.finishing(committer);
    for (const watcher of watchers) world.invalidates(watcher, 2000n, 5);
    finished(2000n);
    const { counts } = world.storage;
    expect(counts.repaired).toMatchObject({ client: 1, foreign: 0 });
    expect(counts.completed).toMatchObject({ client: 2, foreign: 0 });
    expect(counts.synthesized).toMatchObject({ client: 0, foreign: 0 });
    expect(counts.oidsAdded).toBe(1);
  });

  it("is how long a message was held, of those that were", () => {
    const world = new World();
    const { clock, storage } = world;
    const committer = world.registered();
    const watcher = world.registered();
    const passing = storage.counts.held.counts.reduce((sum, count) => sum + count, 0);
    const finished = world.finishing(committer);
    const fresh = world.message();
    storage.ledger.invalidation(watcher.number, { tid: asTid(2000n), oids: packed([5]) }, 0, fresh);
    storage.run(watcher.number, fresh.payload);
    expect(storage.figures).toMatchObject({ finishing: 1, held: 1, commits: 0 });
    clock.move(30);
    finished(2000n);
    expect(watcher.member.done).toEqual(["announce"]);
    const { held } = storage.counts;
    expect(held.counts.reduce((sum, count) => sum + count, 0) - passing).toBeGreaterThan(0);
    expect(held.counts[held.bounds.indexOf(50)]).toBe(1);
    expect(storage.figures).toMatchObject({ finishing: 0, held: 0, commits: 1, transactions: 1 });
  });

  it("is nothing of a message that went out in the event in which it was read", () => {
    const world = new World();
    const watcher = world.registered();
    const before = world.storage.counts.held.counts.reduce((sum, count) => sum + count, 0);
    const fresh = world.message();
    world.storage.ledger.otherMessage(watcher.number, fresh);
    world.storage.run(watcher.number, fresh.payload);
    expect(watcher.member.done).toEqual(["forward"]);
    expect(world.storage.counts.held.counts.reduce((sum, count) => sum + count, 0)).toBe(before);
  });

  it("is each getInvalidations that was answered with more, or with None", () => {
    const world = new World();
    const { ledger } = world.storage;
    const committer = world.registered();
    const [one, other] = [world.registered(), world.registered()];
    world.finishing(committer)(2000n);
    for (const [joined, asked] of [
      [one, 1000n],
      [other, 10n],
    ] as const) {
      const answer = { tid: asTid(2000n), oids: packed([]) };
      ledger.invalidationsReply(joined.number, asTid(asked), answer, { ...world.message(), order: 1 });
      world.storage.run(joined.number);
    }
    expect(world.storage.counts).toMatchObject({ resumed: 1, resumesRefused: 1 });
  });
});

describe.each(["old", "new"] as const)("a storage before a server of the %s family", (family) => {
  it("is accepted as soon as a register was answered, and not because a client has asked", () => {
    const world = new World(family);
    expect(world.storage.isAccepted).toBe(false);
    const { storage } = world;
    const { member } = world.registered();
    expect(storage.isAccepted).toBe(true);
    expect(member.failures).toEqual([]);
  });

  it("is not while the register is on its way, nor when it has failed", () => {
    const world = new World(family);
    const { storage } = world;
    const joined = world.joining();
    expect(storage.isAccepted).toBe(false);
    storage.ledger.registerFailed(joined.number, world.message());
    storage.run(joined.number);
    expect(storage.isAccepted).toBe(false);
  });

  it("is where the configuration names it", () => {
    const { storage } = new World(family);
    storage.expect("main");
    expect(storage.isAccepted).toBe(true);
  });
});
