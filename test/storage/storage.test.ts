import { describe, expect, it } from "vitest";
import { NO_TID } from "../../src/wire/ids.ts";
import { Noting, World } from "./world.ts";

describe("what the ledger decides", () => {
  it("goes to the member that it concerns", () => {
    const world = new World();
    const [one, other] = [world.registered(), world.registered()];
    world.invalidates(one, 2000n, 5);
    expect(one.member.done).toEqual(["forward"]);
    expect(other.member.done).toEqual([]);
  });

  it("is carried out one behind the other: what that leads to comes behind it, not inside it", () => {
    const world = new World();
    const [committer, first, second] = [world.registered(), world.registered(), world.registered()];
    const finished = world.finishing(committer);
    for (const joined of [first, second]) world.invalidates(joined, 2000n, 5);
    const order: string[] = [];
    let depth = 0;
    for (const [name, { member, number }] of Object.entries({ first, second })) {
      member.onAction = (action) => {
        expect(++depth).toBe(1);
        order.push(`${name} ${action.do}`);
        // Its client turns out to be gone just now: that ends it, and nothing more goes to it.
        if (name === "first" && action.do === "announce") {
          world.storage.ledger.clientGone(number);
          world.storage.run(number);
        }
        depth--;
      };
    }
    finished(2000n);
    expect(order).toEqual(["first announce", "second announce", "first close-server"]);
  });

  it("is carried out for others before whose event it was, and for each in its order", () => {
    const world = new World("old");
    const [committer, watcher] = [world.registered(), world.registered()];
    const finished = world.finishing(committer);
    world.invalidates(committer, 1500n, 6);
    world.invalidates(watcher, 2000n, 5);
    const order: string[] = [];
    for (const [name, { member }] of Object.entries({ committer, watcher })) {
      member.done.length = 0;
      member.onAction = (action) => order.push(`${name} ${action.do}`);
    }
    finished(2000n);
    expect(order).toEqual(["watcher announce", "committer forward", "committer forward"]);
    expect(committer.member.failures).toEqual([]);
  });

  it("is nobody's when its session has left", () => {
    const world = new World();
    const [committer, gone] = [world.registered(), world.registered()];
    const finished = world.finishing(committer);
    world.invalidates(gone, 2000n, 5);
    world.storage.leave(gone.number);
    finished(2000n);
    expect(gone.member.done).toEqual([]);
  });

  it("ends only the member that throws; the others get theirs", () => {
    const world = new World();
    const [committer, ...watchers] = [1, 2, 3, 4].map(() => world.registered());
    if (committer === undefined) return;
    const finished = world.finishing(committer);
    for (const watcher of watchers) world.invalidates(watcher, 2000n, 5);
    const error = new RangeError("nobody has thought of this");
    const bad = watchers[1]?.member;
    if (bad === undefined) return;
    bad.onAction = () => {
      throw error;
    };
    finished(2000n);
    expect(watchers.map(({ member }) => member.done)).toEqual([["announce"], ["announce"], ["announce"]]);
    expect(watchers.map(({ member }) => member.failures)).toEqual([[], [error], []]);
    expect(committer.member.done).toEqual(["forward"]);
    // And it goes on afterwards.
    world.invalidates(committer, 2001n, 6);
    expect(committer.member.done).toEqual(["forward", "forward"]);
  });
});

describe("a member's number", () => {
  it("is never given to another one, whoever leaves", () => {
    const { storage } = new World();
    const numbers: number[] = [];
    for (let n = 0; n < 10; n++) {
      numbers.push(storage.join(new Noting()));
      if (n % 2 === 0) storage.leave(numbers.at(-1) ?? 0);
      if (n % 3 === 0) storage.leave(numbers[0] ?? 0);
    }
    expect(new Set(numbers).size).toBe(10);
  });
});

describe("members whose server connection is left unread", () => {
  it("since they wait for commits are asked to look whenever these have moved on, and no others", () => {
    const world = new World();
    const [paused, other] = [world.registered(), world.registered()];
    const looks = (): number[] => [paused.member.looks, other.member.looks];
    world.storage.run(other.number);
    world.storage.setPaused(paused.number, "commits");
    world.storage.run(other.number);
    expect(looks()).toEqual([1, 0]);
    world.storage.run(other.number);
    world.invalidates(other, 1900n, 6);
    expect(looks()).toEqual([1, 0]);
    const [first, second] = [world.finishing(other), world.finishing(other, 2)];
    expect(looks()).toEqual([3, 0]);
    first(2000n);
    expect(looks()).toEqual([4, 0]);
    second(undefined);
    expect(looks()).toEqual([5, 0]);
    // At an event that is nobody's, or its own.
    world.storage.run();
    world.storage.run(paused.number);
    expect(looks()).toEqual([7, 0]);
    world.storage.setPaused(paused.number, undefined);
    world.storage.run();
    world.storage.run(paused.number);
    expect(looks()).toEqual([7, 0]);
  });

  it("since their client is slow are asked when something has happened to them, or was done for them", () => {
    const world = new World();
    const [slow, slower, other] = [world.registered(), world.registered(), world.registered()];
    for (const { number } of [slow, slower]) world.storage.setPaused(number, "its-client");
    const looks = (): number[] => [slow, slower, other].map(({ member }) => member.looks);
    world.storage.run(other.number);
    world.storage.run();
    expect(looks()).toEqual([0, 0, 0]);
    world.storage.run(slow.number);
    expect(looks()).toEqual([1, 0, 0]);
    world.invalidates(slower, 2001n, 6);
    expect(looks()).toEqual([1, 1, 0]);
    world.storage.run(other.number);
    expect(looks()).toEqual([1, 1, 0]);
    // While something is done for another one.
    other.member.onAction = () => world.storage.run(slow.number);
    world.invalidates(other, 2002n, 6);
    expect(looks()).toEqual([2, 1, 0]);
    other.member.onAction = () => undefined;
    const finished = world.finishing(other);
    world.invalidates(slower, 2003n, 5);
    expect([looks(), slower.member.done]).toEqual([[2, 2, 0], ["forward"]]);
    finished(2003n);
    expect([looks(), slower.member.done]).toEqual([
      [2, 3, 0],
      ["forward", "announce"],
    ]);
    // And no more when it is only a commit that they wait for.
    world.storage.setPaused(slow.number, "commits");
    world.storage.setPaused(slow.number, "its-client");
    world.storage.run(other.number);
    expect(looks()).toEqual([2, 3, 0]);
  });

  it("may leave while they look, and one that throws ends alone", () => {
    const world = new World();
    const [one, two, three, leaves] = [world.registered(), world.registered(), world.registered(), world.registered()];
    for (const { number } of [one, two, three, leaves]) world.storage.setPaused(number, "commits");
    one.member.onLook = () => {
      world.storage.leave(one.number);
      world.storage.leave(leaves.number);
      throw new RangeError("nobody has thought of this");
    };
    world.storage.run();
    world.storage.run();
    expect([one, two, three, leaves].map(({ member }) => member.looks)).toEqual([1, 2, 2, 0]);
    expect(one.member.failures).toHaveLength(1);
  });

  it("are owed more than the history may hold, which counts as kept for clients, until that is too much", () => {
    const world = new World("new", 1000);
    const [slow, writer] = [world.registered(), world.registered()];
    world.storage.setPaused(slow.number, "its-client");
    let kept = 0;
    for (let n = 1; n <= 400 && slow.member.done.length === 0; n++) {
      kept = world.memory.bytes;
      world.finishing(writer, n)(BigInt(2000 + n));
    }
    expect(kept).toBeGreaterThan(90_000);
    expect(slow.member.done).toEqual(["end"]);
    expect(world.memory.bytes).toBe(0);
    expect(world.storage.ledger.state.historyBytes).toBeLessThanOrEqual(1000);
  });

  it("are kept for as much as the history may hold now, which may change", () => {
    const world = new World("new", 1000);
    const writer = world.registered();
    const { state } = world.storage.ledger;
    const commit = (from: number, to: number): void => {
      for (let n = from; n <= to; n++) world.finishing(writer, n)(BigInt(2000 + n));
    };
    commit(1, 20);
    expect(state.historyBytes).toBeLessThanOrEqual(1000);
    world.storage.bound(1_000_000);
    commit(21, 60);
    expect(state.history.length).toBeGreaterThanOrEqual(40);
    world.storage.bound(2000);
    expect(state.historyBytes).toBeLessThanOrEqual(2000);
    expect(state.history.at(-1)?.tid).toBe(2060n);
  });

  it("are counted no more when they are told, and when the storage stops", () => {
    const world = new World("new", 1000);
    const [slow, writer] = [world.registered(), world.registered()];
    world.storage.setPaused(slow.number, "its-client");
    for (let n = 1; n <= 30; n++) world.finishing(writer, n)(BigInt(2000 + n));
    expect(world.memory.bytes).toBeGreaterThan(8000);
    world.storage.ledger.clientGone(slow.number);
    world.storage.run(slow.number);
    expect(world.memory.bytes).toBe(0);
    world.clock.move(250);
    expect(world.storage.ledger.state.historyBytes).toBeLessThanOrEqual(1000);

    const other = world.registered("main", { tid: 2030n });
    world.storage.setPaused(other.number, "its-client");
    for (let n = 31; n <= 60; n++) world.finishing(writer, n)(BigInt(2000 + n));
    expect(world.memory.bytes).toBeGreaterThan(8000);
    world.storage.stop();
    expect(world.memory.bytes).toBe(0);
  });

  it("are forgotten when they leave", () => {
    const world = new World();
    const one = world.registered();
    world.storage.setPaused(one.number, "commits");
    world.storage.leave(one.number);
    world.storage.setPaused(one.number, "commits");
    world.storage.run();
    expect(one.member.looks).toBe(0);
  });
});

describe("a storage", () => {
  it("is unused while nobody is there and nothing is known", () => {
    const { storage } = new World("old");
    expect(storage.isUnused).toBe(true);
    const number = storage.join(new Noting());
    expect(storage.isUnused).toBe(false);
    storage.ledger.registerForwarded(number);
    storage.leave(number);
    expect(storage.isUnused).toBe(false);
    storage.ledger.clientGone(number);
    storage.run(number);
    expect(storage.isUnused).toBe(true);
  });

  it.each(["the last transaction", "a commit that has settled", "a commit in limbo", "an invalidation"])(
    "is not unused while %s is known",
    (what) => {
      const world = new World("old");
      const { storage } = world;
      const one = world.registered();
      if (what === "the last transaction") world.lastTransaction(one, 1000n);
      else if (what === "an invalidation") world.invalidates(one, 2000n, 5);
      else {
        const finished = world.finishing(one);
        if (what === "a commit that has settled") finished(2000n);
        else world.serverGone(one, true);
      }
      world.clientGone(one);
      storage.leave(one.number);
      expect(storage.ledger.state.accounts.size).toBe(0);
      expect(storage.isUnused).toBe(false);
    },
  );

  it("is not unused when the server's last transaction has gone back to nothing: the next time is the second", () => {
    const world = new World();
    const { storage } = world;
    const one = world.registered();
    world.lastTransaction(one, NO_TID);
    storage.leave(one.number);
    expect(storage.isUnused).toBe(false);
  });
});
