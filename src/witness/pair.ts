import type { Clock } from "../clock.ts";
import type { Range, RangeRead, StorageWitness, WitnessTold } from "../storage/witness.ts";
import type { Tid } from "../wire/ids.ts";
import { Witness, WITNESS_LIMITS, type WitnessLimits, type WitnessOptions } from "./witness.ts";

/** So many times `stallMs` a range is given at most. */
const MOST_FACTOR = 64;

/**
 * A witness with a second connection where the first one is stalled: dialled beside it, and the one that answers first stays.
 * A connection that says nothing may be dead, behind a firewall that has forgotten it, say, or its server may be at work: that
 * one answers all, one after the other, and the first connection before the second.
 */
export class WitnessPair implements StorageWitness {
  readonly #options: Omit<WitnessOptions, "stall">;
  readonly #told: WitnessTold;
  readonly #clock: Clock;
  readonly #ownStallMs: number;
  #first: Witness;
  #second: Witness | undefined;
  #isSecondStalled = false;
  #cancelSecond: () => void = () => undefined;
  #isReading = false;
  /** The server has greeted one of them. */
  #isGreeted = false;
  /** That of those before the first one. */
  #progress = 0;
  /**
   * An old server has a thread for each client, and may look long for where a range begins: so one that was being read when
   * its connection was given up is given so many times `stallMs` before the next one is dialled, each time twice as many.
   */
  #factor = 1;

  /** `stallMs`: where the limits have none, which may change. */
  constructor(options: Omit<WitnessOptions, "stall">, stallMs = WITNESS_LIMITS.stallMs) {
    this.#options = options;
    this.#told = options.told;
    this.#clock = options.dialling.clock;
    this.#ownStallMs = stallMs;
    this.#first = this.#make();
  }

  get #stallMs(): number {
    return this.#options.limits?.stallMs ?? this.#ownStallMs;
  }

  /** As they are now. */
  #limits(): Partial<WitnessLimits> {
    return { ...this.#options.limits, stallMs: this.#stallMs };
  }

  get progress(): number {
    return this.#progress + this.#first.progress;
  }

  ask(named: (last: Tid) => void): void {
    this.#first.ask(named);
  }

  read(range: Range, isSkipped: (tid: Tid) => boolean, done: (read: RangeRead) => void): void {
    this.#isReading = true;
    this.#first.read(range, isSkipped, (read) => {
      this.#isReading = false;
      this.#factor = 1;
      done(read);
    });
  }

  retry(): void {
    this.#first.retry();
    this.#second?.retry();
  }

  stop(): void {
    this.#giveUpSecond();
    this.#first.stop();
  }

  #make(): Witness {
    const limits = (): Partial<WitnessLimits> => this.#limits();
    const witness: Witness = new Witness({
      ...this.#options,
      get limits() {
        return limits();
      },
      greets: () => this.#isGreeted || this.#options.greets?.() === true,
      told: {
        up: (last) => this.#up(witness, last),
        told: (args) => {
          if (witness === this.#first) this.#told.told(args);
        },
        down: (reason) => this.#down(witness, reason),
        unable: (reason) => {
          this.#giveUpSecond();
          if (witness === this.#first) this.#told.unable(reason);
        },
      },
      stall: {
        stalled: () => {
          if (witness === this.#first) this.#stalled();
          else this.#isSecondStalled = true;
        },
        goesOn: () => {
          if (witness === this.#first) this.#giveUpSecond();
          else this.#isSecondStalled = false;
        },
      },
    });
    return witness;
  }

  #stalled(): void {
    const factor = this.#isReading ? this.#factor : 1;
    this.#cancelSecond();
    this.#cancelSecond = this.#clock.after((factor - 1) * this.#stallMs, () => {
      if (this.#second !== undefined) return;
      this.#isSecondStalled = false;
      this.#second = this.#make();
    });
  }

  #up(witness: Witness, last: Tid): void {
    this.#isGreeted = true;
    if (witness === this.#second) {
      this.#second = undefined;
      this.#progress += this.#first.progress;
      this.#first.stop();
      this.#first = witness;
      if (this.#isReading) this.#factor = Math.min(MOST_FACTOR, 2 * this.#factor);
      this.#isReading = false;
      this.#told.down("stalled");
    } else this.#giveUpSecond();
    this.#told.up(last);
  }

  #down(witness: Witness, reason: string): void {
    if (witness !== this.#first) return;
    this.#isReading = false;
    const second = this.#second;
    this.#cancelSecond();
    if (second !== undefined) {
      // The one that is dialled already is the sooner one.
      this.#progress += this.#first.progress;
      this.#first.stop();
      this.#first = second;
      this.#second = undefined;
      // But not where it waits, longer by now than the first one would.
      second.retry();
      if (this.#isSecondStalled) this.#stalled();
    }
    this.#told.down(reason);
  }

  #giveUpSecond(): void {
    this.#cancelSecond();
    this.#second?.stop();
    this.#second = undefined;
  }
}
