import { describe, expect, it } from "vitest";
import type { Happening } from "../../src/happening/happening.ts";
import type { SessionAction } from "../../src/ledger/state.ts";
import type { Inbound } from "../../src/storage/inbound.ts";
import { Storage, type Member } from "../../src/storage/storage.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";
import { MovedClock } from "./moved-clock.ts";

const TICK_MS = 250;

/** A member that notes what it is to do, and does what the test says on top of it. */
class Noting implements Member {
  readonly upstream: string;
  readonly client: string;
  readonly server: string;
  readonly done: string[] = [];
  readonly failures: unknown[] = [];
  looks = 0;
  onAction: (action: SessionAction<Inbound>) => void = () => undefined;
  onLook: () => void = () => undefined;

  constructor(upstream = "main", server = "10.0.0.1:8100") {
    this.upstream = upstream;
    this.client = `client of ${upstream}`;
    this.server = server;
  }

  carryOut(action: SessionAction<Inbound>): void {
    this.done.push(action.do);
    this.onAction(action);
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }

  look(): void {
    this.looks++;
    this.onLook();
  }
}

interface Joined {
  readonly member: Noting;
  readonly number: number;
}

class World {
  readonly clock = new MovedClock();
  readonly told: Happening[] = [];
  readonly storage: Storage;

  constructor(family: "old" | "new" = "new") {
    const { clock } = this;
    const report = (happening: Happening): void => void this.told.push(happening);
    this.storage = new Storage("server:1", "1", family, { clock, report, historyBytes: 1_000_000 });
  }

  message(): { payload: Inbound; bytes: number } {
    const envelope = { id: 0, flags: 1, method: "info", argsAt: 0 };
    const frame = Buffer.alloc(10);
    return { payload: { frame, envelope, tid: NO_TID, role: undefined, since: this.clock.now() }, bytes: frame.length };
  }

  /** Joined and registered at this tid. */
  registered(tid = 1000n, member = new Noting()): Joined {
    const { storage } = this;
    const number = storage.join(member);
    storage.ledger.registerForwarded(number);
    storage.ledger.registerReply(
      number,
      storage.ledger.state.server === "new" ? asTid(tid) : undefined,
      this.message(),
    );
    storage.run(number);
    member.done.length = 0;
    return { member, number };
  }

  /** Its `tpc_finish` is forwarded: it creates that object. Returns what answers it. */
  finishing({ number }: Joined, oid = 1): (tid: bigint | undefined) => void {
    const { ledger } = this.storage;
    ledger.beginForwarded(number, 7);
    ledger.storeForwarded(number, 7, "created", "zero", packed([oid]), 0);
    const finish = ledger.finishForwarded(number, 7);
    this.storage.run(number);
    return (tid) => {
      const shown = tid === undefined ? undefined : asTid(tid);
      ledger.finishReply(number, finish, shown, this.clock.now(), { ...this.message(), order: 0 });
      this.storage.run(number);
    };
  }

  /** The server's message of that transaction is read for that session. */
  invalidates({ number }: Joined, tid: bigint, ...oids: number[]): void {
    this.storage.ledger.invalidation(number, { tid: asTid(tid), oids: packed(oids) }, this.message());
    this.storage.run(number);
  }

  toldOf(what: Happening["what"]): Happening[] {
    return this.told.filter((happening) => happening.what === what);
  }
}

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

  it("is reported where it is a fact, for the upstream of whom it concerns", () => {
    const world = new World();
    const committer = world.registered(1000n, new Noting("door"));
    const watcher = world.registered(1000n, new Noting("other door"));
    const finished = world.finishing(committer);
    world.invalidates(watcher, 2000n, 5);
    finished(2000n);
    world.registered(2000n, new Noting("third door"));
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
    const [one, other] = [world.registered(1000n, new Noting("door")), world.registered(1000n, new Noting("other"))];
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

  it("is reported, too, where another database answers and where history is copied", () => {
    const world = new World();
    const one = world.registered(1000n, new Noting("door"));
    const other = world.registered();
    const { ledger } = world.storage;
    ledger.beginForwarded(one.number, 7, asTid(500n));
    ledger.storeForwarded(one.number, 7, "created", "zero", packed([1]), 0);
    const finish = ledger.finishForwarded(one.number, 7);
    ledger.finishReply(one.number, finish, asTid(500n), 0, { ...world.message(), order: 0 });
    ledger.lastTransactionReply(one.number, asTid(10n), ledger.stamp, world.message());
    world.storage.run(one.number);
    expect(other.member.done).toEqual(["end"]);
    expect(world.told).toMatchObject([
      { what: "copied-history", upstream: "door", client: "client of door", tid: 500n, known: 1000n },
      { what: "ledger-ended", upstream: "door", tid: 10n, proven: 1000n },
    ]);
  });

  it("is reported a second time as that, with the addresses of all who are there", () => {
    const world = new World();
    const setBack = (): void => {
      world.registered(1000n, new Noting("door", "10.0.0.1:8100"));
      world.registered(1000n, new Noting("door", "10.0.0.1:8100"));
      const { number } = world.registered(1000n, new Noting("other", "10.0.0.2:8100"));
      const { ledger } = world.storage;
      ledger.lastTransactionReply(number, asTid(10n), ledger.stamp, world.message());
      world.storage.run(number);
      for (let session = 1; session <= number; session++) world.storage.leave(session);
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
    const committer = world.registered(1000n, new Noting("door"));
    const other = world.registered(1000n, new Noting("other door"));
    world.finishing(committer);
    const seen: number[] = [];
    other.member.onAction = () => void seen.push(world.toldOf("in-limbo").length);
    world.storage.ledger.serverGone(committer.number, false);
    world.storage.run(committer.number);
    expect(other.member.done).toEqual(["end"]);
    expect(seen).toEqual([1]);
    world.storage.run(other.number);
    expect(world.toldOf("in-limbo")).toEqual([
      { what: "in-limbo", upstream: "door", client: "client of door", storage: "1" },
    ]);
  });

  it("is named also where that shows while another member's actions are carried out", () => {
    const world = new World();
    const committer = world.registered(1000n, new Noting("door"));
    const other = world.registered(1000n, new Noting("other door"));
    world.finishing(committer);
    other.member.onAction = () => {
      other.member.onAction = () => undefined;
      world.storage.ledger.serverGone(committer.number, false);
      world.storage.run(committer.number);
    };
    world.storage.ledger.otherMessage(other.number, world.message());
    world.storage.run(other.number);
    expect(world.toldOf("in-limbo")).toMatchObject([{ client: "client of door" }]);
    expect(other.member.done).toEqual(["forward", "end"]);
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
  it("are asked to look whenever something has happened, and no others", () => {
    const world = new World();
    const [paused, other] = [world.registered(), world.registered()];
    world.storage.setPaused(paused.number, true);
    world.storage.run(other.number);
    expect([paused.member.looks, other.member.looks]).toEqual([1, 0]);
    world.storage.setPaused(paused.number, false);
    world.storage.run(other.number);
    expect(paused.member.looks).toBe(1);
  });

  it("may leave while they look, and one that throws ends alone", () => {
    const world = new World();
    const [one, two, three] = [world.registered(), world.registered(), world.registered()];
    for (const { number } of [one, two, three]) world.storage.setPaused(number, true);
    one.member.onLook = () => {
      world.storage.leave(one.number);
      throw new RangeError("nobody has thought of this");
    };
    world.storage.run();
    world.storage.run();
    expect([one, two, three].map(({ member }) => member.looks)).toEqual([1, 2, 2]);
    expect(one.member.failures).toHaveLength(1);
  });

  it("are forgotten when they leave", () => {
    const world = new World();
    const one = world.registered();
    world.storage.setPaused(one.number, true);
    world.storage.leave(one.number);
    world.storage.setPaused(one.number, true);
    world.storage.run();
    expect(one.member.looks).toBe(0);
  });
});

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

describe("a message that is held for over a second", () => {
  it("is told of once, with how long; the next one by itself", () => {
    const world = new World();
    const [committer, watcher] = [world.registered(), world.registered(1000n, new Noting("door"))];
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
      if (what === "the last transaction") {
        storage.ledger.lastTransactionReply(one.number, asTid(1000n), storage.ledger.stamp, world.message());
      } else if (what === "an invalidation") world.invalidates(one, 2000n, 5);
      else {
        const finished = world.finishing(one);
        if (what === "a commit that has settled") finished(2000n);
        else storage.ledger.serverGone(one.number, true);
      }
      storage.ledger.clientGone(one.number);
      storage.run(one.number);
      storage.leave(one.number);
      expect(storage.ledger.state.accounts.size).toBe(0);
      expect(storage.isUnused).toBe(false);
    },
  );

  it("is not unused when the server's last transaction has gone back to nothing: the next time is the second", () => {
    const world = new World();
    const { storage } = world;
    const one = world.registered();
    storage.ledger.lastTransactionReply(one.number, NO_TID, storage.ledger.stamp, world.message());
    storage.run(one.number);
    storage.leave(one.number);
    expect(storage.isUnused).toBe(false);
  });
});
