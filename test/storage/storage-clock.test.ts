import { describe, expect, it } from "vitest";
import { asTid } from "../../src/wire/ids.ts";
import { World } from "./world.ts";

const TICK_MS = 250;

describe("the clock", () => {
  it("is not used while nothing is owed", () => {
    const world = new World();
    const [one, other] = [world.registered(), world.registered()];
    world.invalidates(one, 2000n, 5);
    expect(world.clock.pending).toEqual([]);
    const finished = world.finishing(other);
    expect(world.clock.pending.length).toBeLessThanOrEqual(1);
    finished(undefined);
    world.clock.move(TICK_MS);
    expect(world.clock.pending).toEqual([]);
  });

  it("ticks while something is due, asks after a second, and stops when it was told", () => {
    const world = new World();
    const [committer, watcher] = [world.registered(), world.registered()];
    world.finishing(committer)(2000n);
    expect(watcher.member.done).toEqual([]);
    world.clock.move(999);
    expect(watcher.member.done).toEqual([]);
    expect(world.clock.pending).toHaveLength(1);
    world.clock.move(1);
    expect(watcher.member.done).toEqual(["ask"]);
    world.clock.move(10_000);
    expect(watcher.member.done).toEqual(["ask"]);
    expect(world.clock.pending).toHaveLength(1);
    world.storage.ledger.questionReply(watcher.number, asTid(2000n));
    world.storage.run(watcher.number);
    expect(watcher.member.done).toEqual(["ask", "announce"]);
    world.clock.move(TICK_MS);
    expect(world.clock.pending).toEqual([]);
  });

  it("ticks on when a commit settles, too, whose reply took its time", () => {
    const world = new World();
    const [committer, watcher] = [world.registered(), world.registered()];
    const finished = world.finishing(committer);
    world.clock.move(10_000);
    finished(2000n);
    world.clock.move(1_000 + TICK_MS);
    expect(watcher.member.done).toEqual(["ask"]);
  });

  it("has one timer, however much happens", () => {
    const world = new World();
    const [committer, ...watchers] = [1, 2, 3, 4].map(() => world.registered());
    if (committer === undefined) return;
    for (let tid = 2000n; tid < 2010n; tid++) {
      world.finishing(committer)(tid);
      for (const { number } of watchers) world.storage.run(number);
    }
    expect(world.clock.pending).toHaveLength(1);
  });

  it("tells of an error that a tick throws, and ticks on", () => {
    const world = new World();
    const [committer, watcher] = [world.registered(), world.registered()];
    world.finishing(committer)(2000n);
    const { ledger } = world.storage;
    const tick = ledger.tick.bind(ledger);
    const error = new RangeError("nobody has thought of this");
    let ticks = 0;
    ledger.tick = (now) => {
      if (++ticks === 1) throw error;
      tick(now);
    };
    world.clock.move(1_000);
    expect(world.toldOf("failed")).toEqual([{ what: "failed", error, upstream: "main", storage: "1" }]);
    expect(watcher.member.done).toEqual(["ask"]);
  });

  it("is left alone after stop()", () => {
    const world = new World();
    const [committer] = [world.registered(), world.registered()];
    const finished = world.finishing(committer);
    world.storage.stop();
    expect(world.clock.pending).toEqual([]);
    finished(2000n);
    expect(world.clock.pending).toEqual([]);
  });
});
