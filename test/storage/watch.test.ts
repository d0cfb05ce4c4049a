import { beforeEach, describe, expect, it } from "vitest";
import { StorageLedger } from "../../src/ledger/ledger.ts";
import { newState } from "../../src/ledger/state.ts";
import { Watch } from "../../src/storage/watch.ts";
import type { Range, RangeRead, StorageWitness, WitnessTold } from "../../src/storage/witness.ts";
import { asTid } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";
import { MovedClock } from "./moved-clock.ts";

const HOLD_MS = 2000;
const POLL_MS = 5000;
const READ = { payload: "message", bytes: 1 } as const;

/** A witness that says what the test says. */
class Scripted implements StorageWitness {
  told!: WitnessTold;
  readonly asked: ((last: bigint) => void)[] = [];
  readonly ranges: string[] = [];
  readonly #reads: ((read: RangeRead) => void)[] = [];
  progress = 0;
  retries = 0;
  isStopped = false;

  ask(named: (last: ReturnType<typeof asTid>) => void): void {
    this.asked.push((last) => named(asTid(last)));
  }

  read({ above, upTo }: Range, _isSkipped: unknown, done: (read: RangeRead) => void): void {
    if (this.#reads.length > 0) throw new Error("one range at a time");
    this.ranges.push(`${above}-${upTo}`);
    this.#reads.push(done);
  }

  retry(): void {
    this.retries++;
  }

  stop(): void {
    this.isStopped = true;
    this.#reads.length = 0;
  }

  // --- what the test says -----------------------------------------------------------------------------------------

  up(last: bigint): void {
    this.told.up(asTid(last));
  }

  down(): void {
    this.asked.length = 0;
    this.#reads.length = 0;
    this.told.down("ended");
  }

  /** Answers the one who has asked. */
  names(last: bigint): void {
    const named = this.asked.shift();
    if (named === undefined) throw new Error("nobody has asked");
    named(last);
  }

  /** It has read these transactions, each with an object of its own number. */
  reads(...tids: number[]): void {
    this.becomes({ kind: "read", found: tids.map((tid) => ({ tid: asTid(BigInt(tid)), oids: packed([tid]) })) });
  }

  becomes(read: RangeRead): void {
    const done = this.#reads.shift();
    if (done === undefined) throw new Error("nothing is being read");
    done(read);
  }

  get isReading(): boolean {
    return this.#reads.length > 0;
  }
}

class Watched {
  readonly clock = new MovedClock();
  readonly ledger: StorageLedger<string>;
  readonly witness = new Scripted();
  readonly told: string[] = [];
  readonly done: string[] = [];
  readonly watch: Watch;
  lost = 0;
  #sessions = 0;

  constructor(family: "old" | "new" = "old") {
    this.ledger = new StorageLedger(newState<string>(family));
    const source = (told: WitnessTold): StorageWitness => {
      this.witness.told = told;
      return this.witness;
    };
    this.watch = new Watch(
      this.ledger,
      source,
      { pollMs: POLL_MS, holdMs: HOLD_MS },
      {
        clock: this.clock,
        run: () => this.run(),
        lost: () => void this.lost++,
        tell: (lacks) => void this.told.push(lacks ?? "there"),
        alien: () => void this.told.push("alien"),
      },
    );
  }

  run(): void {
    for (const action of this.ledger.take()) if (action.do !== "repaired") this.done.push(action.do);
    this.watch.look();
  }

  /** A client of an old server registers, and is told that this is the last transaction. */
  registers(last: bigint): number {
    const session = ++this.#sessions;
    this.ledger.registerForwarded(session);
    this.ledger.registerReply(session, this.ledger.family === "new" ? asTid(last) : undefined, READ);
    this.run();
    this.ledger.lastTransactionReply(session, asTid(last), this.ledger.stamp, READ);
    this.run();
    this.done.length = 0;
    return session;
  }

  /** The server tells it of that transaction, which nobody here has made. */
  hears(session: number, tid: bigint): void {
    this.ledger.invalidation(session, { tid: asTid(tid), oids: packed([1]) }, this.clock.now(), READ);
    this.run();
  }

  resumes(session: number, asked: bigint): void {
    this.ledger.invalidationsReply(session, asTid(asked), undefined, { ...READ, order: 0 });
    this.run();
  }
}

/** Up at 100, and nothing to look for. */
function up(family: "old" | "new" = "old"): Watched {
  const watched = new Watched(family);
  watched.witness.up(100n);
  watched.witness.names(100n);
  return watched;
}

describe("who registers", () => {
  it("waits until the witness is there, and not again", () => {
    const { watch, witness, told } = new Watched();
    const done: string[] = [];
    expect(watch.waits(() => done.push("one"))).toBe(true);
    expect(watch.waits(() => done.push("other"))).toBe(true);
    expect(done).toEqual([]);
    witness.up(100n);
    expect(done).toEqual(["one", "other"]);
    expect(watch.waits(() => done.push("never"))).toBe(false);
    expect(told).toEqual([]);
  });

  it("waits no longer than things are held, and is told of it when the witness comes", () => {
    const { watch, witness, clock, told, ledger } = new Watched();
    let isReady = false;
    watch.waits(() => (isReady = true));
    witness.down();
    clock.move(HOLD_MS - 1);
    expect(isReady).toBe(false);
    clock.move(1);
    expect(isReady).toBe(true);
    expect(told).toEqual(["it has not come about"]);
    expect(ledger.facts.witness).toBe("off");
    witness.up(100n);
    expect(told).toEqual(["it has not come about", "there"]);
    expect(ledger.facts.witness).toBe("up");
  });

  it("goes on at once where there can be no witness", () => {
    const { watch, witness, clock, told } = new Watched();
    let isReady = false;
    watch.waits(() => (isReady = true));
    witness.told.unable("tls");
    expect(isReady).toBe(true);
    clock.move(10 * HOLD_MS);
    witness.told.unable("tls");
    expect(told).toEqual(["tls"]);
    witness.told.unable("no-storage");
    expect(told).toEqual(["tls", "no-storage"]);
  });

  it("goes on where the server is of the other family, which has no line", () => {
    const { watch, witness, ledger, told } = new Watched();
    let isReady = false;
    watch.waits(() => (isReady = true));
    witness.told.unable("family");
    expect([isReady, told, ledger.facts.witness]).toEqual([true, ["alien"], "off"]);
  });

  it("goes on when the proxy stops", () => {
    const { watch, witness, clock, told } = new Watched();
    let isReady = false;
    watch.waits(() => (isReady = true));
    watch.stop();
    expect(isReady).toBe(true);
    expect(witness.isStopped).toBe(true);
    expect(clock.pending).toEqual([]);
    expect(told).toEqual([]);
  });

  it("is waited for longer where something was read since the last tick", () => {
    const { watch, witness } = new Watched();
    expect(watch.patience()).toEqual({ holdMs: HOLD_MS, goesOn: false });
    witness.progress++;
    expect([watch.patience(), watch.patience()].map(({ goesOn }) => goesOn)).toEqual([true, false]);
  });

  it("makes a witness that is not there try again", () => {
    const { watch, witness } = new Watched();
    watch.nudge();
    expect(witness.retries).toBe(1);
    witness.up(100n);
    watch.nudge();
    expect(witness.retries).toBe(1);
    witness.down();
    watch.nudge();
    expect(witness.retries).toBe(2);
  });
});

describe("comings and goings", () => {
  it("is away, and looks again from where it was when it comes back", () => {
    const { witness, ledger, clock, told } = up();
    witness.down();
    expect(ledger.facts.witness).toBe("away");
    clock.move(5 * HOLD_MS - 1);
    witness.up(102n);
    expect(ledger.facts.witness).toBe("up");
    witness.names(102n);
    expect(witness.ranges).toEqual(["100-102"]);
    witness.reads(101, 102);
    clock.move(POLL_MS - 1);
    expect([told, ledger.facts.read]).toEqual([[], 2]);
  });

  it("is given up after a while, with the reason of its end", () => {
    const watched = up();
    const { witness, ledger, clock, told } = watched;
    witness.down();
    witness.down();
    expect(watched.lost).toBe(1);
    clock.move(5 * HOLD_MS);
    expect(ledger.facts.witness).toBe("off");
    expect(told).toEqual(["ended"]);
    witness.up(100n);
    expect(told).toEqual(["ended", "there"]);
    expect(clock.pending).toEqual([POLL_MS]);
  });

  it("is unable when it tries again", () => {
    const { witness, ledger, clock, told } = up();
    witness.down();
    witness.told.unable("authentication");
    expect([ledger.facts.witness, told]).toEqual(["off", ["authentication"]]);
    expect(clock.pending).toEqual([]);
  });

  it.each(["asking", "reading", "waiting to read again", "waiting to look again"])("stops while %s", (moment) => {
    const watched = up();
    const { witness, clock, watch } = watched;
    const session = watched.registers(100n);
    watched.hears(session, 102n);
    if (moment !== "asking") witness.names(moment === "waiting to look again" ? 100n : 102n);
    if (moment === "waiting to read again") witness.becomes({ kind: "failed", reason: "ValueError" });
    watch.stop();
    expect(clock.pending).toEqual([]);
    expect(witness.isStopped).toBe(true);
    watch.look();
    expect(witness.ranges.length).toBe(moment === "asking" || moment === "waiting to look again" ? 0 : 1);
  });
});

describe("looks", () => {
  let watched: Watched;
  let session: number;
  beforeEach(() => {
    watched = up();
    session = watched.registers(100n);
  });

  it("asks an old server now and then, and a new one never", () => {
    const { witness, clock } = watched;
    expect(witness.asked.length).toBe(0);
    clock.move(POLL_MS);
    expect(witness.asked.length).toBe(1);
    witness.names(100n);
    clock.move(POLL_MS);
    expect(witness.asked.length).toBe(1);
    expect(up("new").clock.pending).toEqual([]);
  });

  it("does not ask twice at a time", () => {
    const { witness, clock } = watched;
    clock.move(3 * POLL_MS);
    expect(witness.asked.length).toBe(1);
    witness.names(100n);
    expect(witness.asked.length).toBe(1);
  });

  it("looks for what a client is told of, and tells it whole", () => {
    const { witness, done } = watched;
    watched.hears(session, 101n);
    expect(done).toEqual([]);
    witness.names(101n);
    witness.reads(101);
    expect(done).toEqual(["foreign", "announce"]);
  });

  it("looks for what the witness is told of", () => {
    const { witness } = watched;
    witness.told.told({ tid: asTid(101n), oids: packed([1]) });
    expect(witness.asked.length).toBe(1);
  });

  it("looks again for what the server does not name yet, more and more slowly", () => {
    const { witness, clock } = watched;
    watched.hears(session, 101n);
    const waits: number[] = [];
    for (let looks = 0; looks < 8; looks++) {
      witness.names(100n);
      const before = clock.now();
      while (witness.asked.length === 0) clock.move(1);
      waits.push(clock.now() - before);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 250, 250, 250]);
    witness.names(101n);
    witness.reads(101);
    watched.hears(session, 102n);
    witness.names(101n);
    clock.move(10);
    expect(witness.asked.length).toBe(1);
  });

  it("looks no more when what is looked for again is gone with the witness", () => {
    const { witness, clock } = watched;
    watched.hears(session, 101n);
    witness.names(100n);
    witness.down();
    clock.move(1000);
    expect(witness.asked.length).toBe(0);
  });
});

describe("reading", () => {
  let watched: Watched;
  let session: number;
  beforeEach(() => {
    watched = up();
    session = watched.registers(100n);
    watched.hears(session, 102n);
    watched.witness.names(102n);
  });

  it("tries again what the server can't read at present", () => {
    const { witness, clock, done } = watched;
    for (const ms of [50, 100, 150, 200]) {
      witness.becomes({ kind: "failed", reason: "ValueError" });
      clock.move(ms - 1);
      expect(witness.isReading).toBe(false);
      clock.move(1);
    }
    expect(witness.ranges).toEqual(["100-102", "100-102", "100-102", "100-102", "100-102"]);
    expect(done).toEqual([]);
    witness.reads(101, 102);
    expect(done).toEqual(["foreign", "foreign", "announce", "announce"]);
  });

  it("sends everybody away for what can never be read", () => {
    const { witness, clock, done, ledger } = watched;
    for (let tries = 0; tries < 5; tries++) {
      witness.becomes({ kind: "failed", reason: "ValueError" });
      clock.move(200);
    }
    expect(witness.ranges.length).toBe(5);
    expect(done).toEqual(["end"]);
    expect(ledger.looks).toBe(false);
  });

  it("sends everybody away for what is too much", () => {
    watched.witness.becomes({ kind: "too-much" });
    expect(watched.done).toEqual(["end"]);
  });

  it("does not go on with what another connection was to read again", () => {
    const { witness, clock } = watched;
    witness.becomes({ kind: "failed", reason: "ValueError" });
    witness.down();
    witness.up(102n);
    witness.names(102n);
    clock.move(50);
    expect(witness.ranges).toEqual(["100-102", "100-102"]);
    witness.reads(101, 102);
    expect(witness.isReading).toBe(false);
    expect(watched.done).toEqual(["foreign", "foreign", "announce", "announce"]);
  });

  it("reads further back for a client behind the look that reads", () => {
    const { witness, done } = watched;
    const other = watched.registers(102n);
    watched.resumes(other, 90n);
    expect(witness.ranges).toEqual(["100-102"]);
    witness.reads(101, 102);
    expect(witness.ranges).toEqual(["100-102", "90-100"]);
    done.length = 0;
    witness.reads(95);
    expect(done).toContain("resume");
    expect(witness.isReading).toBe(false);
  });
});

describe("a witness that is away while somebody waits for it", () => {
  it("is dialled at once, and again a few times while anybody waits", () => {
    const watched = up();
    const { witness, clock } = watched;
    const session = watched.registers(100n);
    witness.down();
    expect(witness.retries).toBe(0);
    clock.move(20);
    watched.hears(session, 130n);
    expect(witness.retries).toBe(1);
    const ticks = (ms: number): void => {
      for (let at = 0; at < ms; at += 10) {
        clock.move(10);
        watched.run();
      }
    };
    ticks(HOLD_MS / 2);
    expect(witness.retries).toBe(5);
    witness.up(130n);
    ticks(HOLD_MS);
    expect(witness.retries).toBe(5);
    watched.watch.stop();
    expect(clock.pending).toEqual([]);
  });

  it("is dialled at once where its connection ends under a look", () => {
    const watched = up();
    const { witness, clock } = watched;
    watched.hears(watched.registers(100n), 130n);
    expect([witness.asked.length, witness.retries]).toEqual([1, 0]);
    witness.down();
    expect(witness.retries).toBe(1);
    watched.watch.stop();
    expect(clock.pending).toEqual([]);
  });

  it("is dialled at once for who comes back from before the history", () => {
    const watched = up();
    const { witness } = watched;
    const session = watched.registers(100n);
    witness.down();
    watched.clock.move(20);
    watched.resumes(session, 50n);
    expect(witness.retries).toBe(1);
    watched.watch.stop();
  });

  it("is left alone where nobody waits, and when it was given up", () => {
    const watched = up();
    const { witness, clock } = watched;
    const session = watched.registers(100n);
    witness.down();
    clock.move(HOLD_MS);
    watched.run();
    expect(witness.retries).toBe(0);
    clock.move(20);
    watched.hears(session, 130n);
    expect(witness.retries).toBe(1);
    clock.move(5 * HOLD_MS);
    const { retries } = witness;
    watched.hears(session, 140n);
    clock.move(HOLD_MS);
    expect(witness.retries).toBe(retries);
    watched.watch.stop();
  });
});
