import { beginsEight, ENDING_BYTES } from "./ending.ts";
import { ANY_TID, ID_BYTES, type Tid } from "./ids.ts";
import { wordAt } from "./words.ts";

// Up to which tid nothing is new, and whether a load's reply may show more.

/** A tid to compare others with, as two words: a bigint for each message would cost more than the message. */
export class Horizon {
  #tid: Tid = ANY_TID;
  #high = 0xffff_ffff;
  #low = 0xffff_ffff;

  set(tid: Tid): void {
    if (tid === this.#tid) return;
    this.#tid = tid;
    this.#high = Number(tid >> 32n);
    this.#low = Number(tid & 0xffff_ffffn);
  }

  /** Is nothing beyond it? */
  get isOpen(): boolean {
    return this.#tid === ANY_TID;
  }

  /** Is the tid with these words, signed or not, above it? */
  isBelow(high: number, low: number): boolean {
    const above = high >>> 0;
    return above > this.#high || (above === this.#high && low >>> 0 > this.#low);
  }

  /** Is the one before that tid above it? Where it is not, no other tid below that one is. */
  isBelowPrevious(high: number, low: number): boolean {
    if (low >>> 0 > 0) return this.isBelow(high, low - 1);
    return high >>> 0 > 0 && this.isBelow(high - 1, 0xffff_ffff);
  }

  /** May any byte string of eight bytes at the end of `bytes[from, to)` be a tid above it? Data is not told from it. */
  isBelowAny(bytes: Buffer, from: number, to: number): boolean {
    const first = Math.max(from + 1, to - ENDING_BYTES);
    for (let at = to - ID_BYTES; at >= first; at--) {
      if (beginsEight(bytes, at) && this.isBelow(wordAt(bytes, at), wordAt(bytes, at + 4))) return true;
    }
    return false;
  }
}
