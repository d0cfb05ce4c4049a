/** The first time it may only have been restarted. */
const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** How long to wait before the server is dialled again, in ms: each time twice as long. */
export class BackOff {
  #next = FIRST_MS;

  next(): number {
    const ms = this.#next;
    this.#next = Math.min(LONGEST_MS, ms * 2);
    return ms;
  }

  /** All is well. */
  reset(): void {
    this.#next = FIRST_MS;
  }
}
