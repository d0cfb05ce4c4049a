const HOUR_MS = 3_600_000;

/**
 * Times at which a server's last transaction was older than one that was certainly in its database. Once may be a backup
 * that was restored; again and again is a second server that is behind the first one.
 */
export class Setbacks {
  #total = 0;
  #lastAtMs = -Infinity;
  /** Without an hour between two of them. */
  #inRow = 0;

  get total(): number {
    return this.#total;
  }

  /**
   * One more.
   * @param nowMs of the clock
   * @returns how many there were so far with less than an hour between two of them
   */
  add(nowMs: number): number {
    this.#total++;
    this.#inRow = nowMs - this.#lastAtMs < HOUR_MS ? this.#inRow + 1 : 1;
    this.#lastAtMs = nowMs;
    return this.#inRow;
  }
}
