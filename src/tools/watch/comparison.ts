import { NO_TID, type Tid } from "../../wire/ids.ts";
import type { Transaction } from "./transaction.ts";

/** The two sides of a comparison, as indices. */
export type Side = 0 | 1;

/** A transaction, and how each side was told of it; undefined: that side was not there, or does not have it. */
export interface Compared {
  readonly tid: Tid;
  readonly oids: readonly string[];
  readonly sides: readonly [Transaction | undefined, Transaction | undefined];
}

type Pair = [Transaction | undefined, Transaction | undefined];

/** So many wait for the other side; then it counts as absent. */
const MAX_WAITING = 10_000;

/**
 * Joins what two followers tell, by tid. It begins behind the later one of the two last transactions that the sides had when
 * they were both there first; from then on each transaction comes once, by growing tids. A side that is away is waited for by
 * nobody.
 */
export class Comparison {
  readonly #compared: (compared: Compared) => void;
  readonly #waiting = new Map<Tid, Pair>();
  /** Their tids, growing. */
  readonly #order: Tid[] = [];
  readonly #isUp: [boolean, boolean] = [false, false];
  readonly #begun: [boolean, boolean] = [false, false];
  /** All up to this one are done, or were before. */
  #done: Tid = NO_TID;

  constructor(compared: (compared: Compared) => void) {
    this.#compared = compared;
  }

  up(side: Side, last: Tid): void {
    this.#isUp[side] = true;
    if (this.#begun[side]) return;
    this.#begun[side] = true;
    if (last > this.#done) this.#done = last;
    while (this.#order[0] !== undefined && this.#order[0] <= this.#done) this.#next();
  }

  down(side: Side): void {
    this.#isUp[side] = false;
    this.#settle();
  }

  /** That side's database has gone back to this one. */
  setBack(last: Tid): void {
    this.#waiting.clear();
    this.#order.length = 0;
    this.#done = last;
  }

  add(side: Side, transaction: Transaction): void {
    const { tid } = transaction;
    if (tid <= this.#done) return;
    const pair = this.#waiting.get(tid);
    if (pair !== undefined) pair[side] = transaction;
    else {
      this.#waiting.set(tid, side === 0 ? [transaction, undefined] : [undefined, transaction]);
      this.#insert(tid);
    }
    this.#settle(side, tid);
  }

  /** Nearly always behind all others. */
  #insert(tid: Tid): void {
    let at = this.#order.length;
    while (at > 0 && (this.#order[at - 1] as Tid) > tid) at--;
    this.#order.splice(at, 0, tid);
  }

  #next(): void {
    this.#waiting.delete(this.#order.shift() as Tid);
  }

  /** `side` has told of all that it has up to `upTo`. */
  #settle(side?: Side, upTo: Tid = NO_TID): void {
    if (!this.#begun[0] || !this.#begun[1]) return;
    const isAwaited = (one: Side, tid: Tid): boolean => this.#isUp[one] && !(one === side && tid <= upTo);
    for (let tid = this.#order[0]; tid !== undefined; tid = this.#order[0]) {
      const now = tid;
      const pair = this.#waiting.get(now) as Pair;
      const waits = (one: Side): boolean => pair[one] === undefined && isAwaited(one, now);
      if ((waits(0) || waits(1)) && this.#waiting.size <= MAX_WAITING) return;
      this.#next();
      this.#done = now;
      this.#compared({ tid: now, oids: (pair[1] ?? pair[0])?.oids ?? [], sides: pair });
    }
  }
}
