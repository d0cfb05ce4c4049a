import type { Clock } from "../clock.ts";
import type { StorageLedger } from "../ledger/ledger.ts";
import type { Found as Read, Range } from "../ledger/sight.ts";
import { oidSet } from "../ledger/oid-set.ts";
import type { Patience } from "../ledger/unseen.ts";
import type { InvalidationArgs } from "../wire/codec.ts";
import type { Tid } from "../wire/ids.ts";
import type { RangeRead, StorageWitness, UnableReason, WitnessSource, WitnessTold } from "./witness.ts";

// Brings a storage's witness and its ledger together: does for the ledger what it wants to see, when it wants it, and decides
// when to ask without being told, and when to give the witness up.

export interface WatchSettings {
  /** How often an old server is asked for its last transaction. */
  readonly pollMs: number;
  /** How long anything waits for the witness. */
  readonly holdMs: number;
}

/** What it needs of its storage. */
export interface WatchHost {
  readonly clock: Clock;
  /** The ledger has been told something: what follows is to be carried out. */
  run(): void;
  /** The witness had a connection, and has it no more. */
  lost(): void;
  /** There is no witness, and why; or there is one again. */
  tell(lacks: string | undefined): void;
  /** The server is of the other family: nobody will ever register here. */
  alien(): void;
}

/** A look that has not found what somebody waits for is followed by another one after so long, then twice as long. */
const AGAIN_MS = 10;
const AGAIN_MOST_MS = 250;
/** A server can fail to iterate while another client's transaction is being written (ZODB/FileStorage): then again. */
const TRIES = 5;
const TRY_AGAIN_MS = 50;
/** A witness that is away for so many times `holdMs` is given up. */
const PATIENCE = 5;
/** Where somebody waits for it, it is dialled so often in `holdMs`. */
const HURRIES = 8;
const HURRY_LEAST_MS = 50;
/** To see whether anybody does all sessions are looked at. */
const CALM_MS = 20;

export class Watch implements WitnessTold {
  readonly #ledger: StorageLedger<unknown>;
  readonly #settings: WatchSettings;
  readonly #host: WatchHost;
  readonly #waiting = new Set<() => void>();
  readonly #witness: StorageWitness;
  #isUp = false;
  /** Something is known of the storage, or it is clear that there is no witness. */
  #isReady = false;
  #isAsking = false;
  #isReading = false;
  /** Reads that wait for the one that is on its way. */
  #next: (() => void)[] = [];
  #againMs = AGAIN_MS;
  /** The witness's, at the last tick. */
  #progress = 0;
  #lacks: string | undefined;
  #cancelPatience: () => void;
  #cancelPoll: () => void = () => undefined;
  #cancelAgain: (() => void) | undefined;
  #cancelRetry: () => void = () => undefined;
  /** When it is seen again whether anybody waits for a witness that is away. */
  #hurryAt = 0;
  #stopped = false;

  /** It begins at once. */
  constructor(ledger: StorageLedger<unknown>, source: WitnessSource, settings: WatchSettings, host: WatchHost) {
    this.#ledger = ledger;
    this.#settings = settings;
    this.#host = host;
    ledger.sightExpected();
    this.#cancelPatience = host.clock.after(settings.holdMs, () => this.#giveUp("it has not come about"));
    this.#witness = source(this);
  }

  /** A client registers: so the server is there. */
  nudge(): void {
    if (!this.#isUp) this.#witness.retry();
  }

  /** @returns whether `then` is called later, once; what is known before somebody registers need not be told to it */
  waits(then: () => void): boolean {
    if (this.#isReady) return false;
    this.#waiting.add(then);
    return true;
  }

  /** How long anybody waits, from this tick on. */
  patience(): Patience {
    const { progress } = this.#witness;
    const goesOn = progress !== this.#progress;
    this.#progress = progress;
    return { holdMs: this.#settings.holdMs, goesOn };
  }

  get isWaitedFor(): boolean {
    return this.#waiting.size > 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPatience();
    this.#rest();
    this.#witness.stop();
    this.#ready();
  }

  // --- what the witness tells -------------------------------------------------------------------------------------

  up(last: Tid): void {
    this.#cancelPatience();
    this.#isUp = true;
    this.#ledger.sightUp(last);
    if (this.#lacks !== undefined) this.#host.tell(undefined);
    this.#lacks = undefined;
    this.#poll();
    this.#host.run();
    this.#ready();
  }

  told(args: InvalidationArgs): void {
    this.#ledger.sightTold(args);
    this.#host.run();
  }

  down(reason: string): void {
    if (!this.#isUp) return;
    this.#rest();
    this.#cancelPatience();
    const { holdMs } = this.#settings;
    this.#cancelPatience = this.#host.clock.after(PATIENCE * holdMs, () => this.#giveUp(reason));
    this.#ledger.sightAway();
    this.#host.run();
    this.#host.lost();
  }

  unable(reason: UnableReason): void {
    this.#rest();
    this.#giveUp(reason);
    if (reason === "family") this.#host.alien();
  }

  // --- what the ledger wants --------------------------------------------------------------------------------------

  /** To be called whenever the ledger has been told something. */
  look(): void {
    if (!this.#isUp) {
      this.#hurry();
      return;
    }
    if (this.#ledger.wantsLook && !this.#isAsking) this.#ask();
    if (this.#ledger.wantsLookAgain) {
      this.#cancelAgain ??= this.#host.clock.after(this.#againMs, () => {
        this.#cancelAgain = undefined;
        this.#againMs = Math.min(2 * this.#againMs, AGAIN_MOST_MS);
        if (!this.#isUp) return;
        this.#ledger.look();
        this.look();
      });
    } else if (!this.#ledger.looks) this.#againMs = AGAIN_MS;
    const range = this.#ledger.wantedPast;
    if (range === undefined) return;
    this.#ledger.pastBegins(range);
    this.#read(range, (found) => this.#ledger.pastFound(found));
  }

  /**
   * By itself a witness whose connections were cut off again and again is dialled ever more slowly; who waits for it would be
   * disconnected for that. (As long as anything is held there are ticks, which come here, too.)
   */
  #hurry(): void {
    const now = this.#host.clock.now();
    if (now < this.#hurryAt || this.#stopped) return;
    const isAwaited = this.#ledger.isAwaited;
    this.#hurryAt = now + (isAwaited ? Math.max(HURRY_LEAST_MS, this.#settings.holdMs / HURRIES) : CALM_MS);
    if (isAwaited) this.#witness.retry();
  }

  #ask(): void {
    this.#isAsking = true;
    this.#ledger.lookBegins();
    this.#witness.ask((last) => {
      this.#isAsking = false;
      const range = this.#ledger.lookNames(last);
      if (range !== undefined) {
        this.#read(range, (found) => this.#ledger.lookFinds(found, this.#host.clock.now()));
      }
      this.#host.run();
    });
  }

  /** One at a time. `done` undefined: it is too long, or can't be read. */
  #read(range: Range, done: (found: Read[] | undefined) => void, tries = 1): void {
    if (this.#isReading) {
      this.#next.push(() => this.#read(range, done));
      return;
    }
    this.#isReading = true;
    const isSkipped = (tid: Tid): boolean => this.#ledger.isSettled(tid);
    this.#witness.read(range, isSkipped, (read) => {
      this.#isReading = false;
      if (read.kind === "failed" && tries < TRIES) {
        this.#isReading = true;
        this.#cancelRetry = this.#host.clock.after(TRY_AGAIN_MS * tries, () => {
          this.#isReading = false;
          this.#read(range, done, tries + 1);
        });
        return;
      }
      done(foundIn(read));
      this.#next.shift()?.();
      this.#host.run();
    });
  }

  /** Old servers tell nobody of a commit that only created. */
  #poll(): void {
    this.#cancelPoll();
    if (this.#ledger.family === "new") return;
    this.#cancelPoll = this.#host.clock.after(this.#settings.pollMs, () => {
      this.#ledger.look();
      this.look();
      this.#poll();
    });
  }

  // --- its comings and goings -------------------------------------------------------------------------------------

  #giveUp(reason: string): void {
    if (this.#stopped) return;
    this.#cancelPatience();
    this.#ledger.sightOff();
    if (this.#lacks !== reason && reason !== "family") this.#host.tell(reason);
    this.#lacks = reason;
    this.#host.run();
    this.#ready();
  }

  #rest(): void {
    this.#isUp = false;
    this.#isAsking = false;
    this.#isReading = false;
    this.#next = [];
    this.#cancelRetry();
    this.#cancelPoll();
    this.#cancelAgain?.();
    this.#cancelAgain = undefined;
  }

  #ready(): void {
    this.#isReady = true;
    // One by one: as long as there is another one the storage is used.
    for (const then of this.#waiting) {
      this.#waiting.delete(then);
      then();
    }
  }
}

function foundIn(read: RangeRead): Read[] | undefined {
  if (read.kind !== "read") return undefined;
  return read.found.map(({ tid, oids }) => ({ tid, oids: oidSet(oids) }));
}
