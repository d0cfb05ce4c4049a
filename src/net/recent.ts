/** Each is 64 KiB at most: what Node reads at once. */
const KEPT = 16;

/**
 * Keeps the newest chunks that were read a little longer than anyone needs them: 1 MiB in the whole process. Without it a
 * stream of large frames frees all of its chunks at each collection, the C library gives that memory back to the system,
 * and each of the next reads takes it anew: twice the page faults, and up to a third more CPU time for a blob.
 */
class Recent {
  readonly #chunks: (Buffer | undefined)[] = Array.from({ length: KEPT });
  #at = 0;

  keep(chunk: Buffer): void {
    this.#chunks[this.#at] = chunk;
    this.#at = (this.#at + 1) % KEPT;
  }
}

export const recent = new Recent();
