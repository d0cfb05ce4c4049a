const EMPTY = Buffer.alloc(0);

/** Bytes that come in parts, copied into one buffer. */
export class Gathered {
  #bytes = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Memory that it takes. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** `more`: so many bytes can still come. Grows by doubling: what is announced allocates nothing. */
  add(part: Buffer, more: number): void {
    const needed = this.#length + part.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(needed, this.#bytes.length * 2, 1024), needed + more));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    part.copy(this.#bytes, this.#length);
    this.#length = needed;
  }

  /** What has come. It is the caller's; nothing is left. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return bytes;
  }
}
