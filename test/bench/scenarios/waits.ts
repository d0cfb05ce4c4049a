const KEPT = 512;

/** How long each of very many things took. */
export class Waits {
  #values = new Float64Array(4096);
  #count = 0;

  add(ms: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = ms;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Ascending; of more than some hundreds, as many quantiles. */
  kept(): number[] {
    const sorted = this.#values.subarray(0, this.#count).toSorted();
    if (sorted.length <= KEPT) return [...sorted];
    return Array.from({ length: KEPT }, (_, i) => sorted[Math.floor(((i + 0.5) * sorted.length) / KEPT)] as number);
  }
}
