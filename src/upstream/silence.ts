/**
 * Since when nothing has come from a server. Whoever has connections to one that can't be had any more may still be served on
 * them: then it is no time to go elsewhere.
 */
export class Silence {
  #bytes = 0;
  #since: number;

  constructor(now: number) {
    this.#since = now;
  }

  /** So many bytes have come by now, in all. @returns how long it has been seen to be silent, in ms */
  hear(bytes: number, now: number): number {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#since = now;
    }
    return now - this.#since;
  }
}
