const PATIENCE_MS = 15_000;

/** Values as they come, and who waits for one of them. */
export class Heard<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  add(value: T): void {
    this.all.push(value);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The first that fits, come already or to come. */
  async until(fits: (value: T) => boolean): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = this.all.find(fits);
      if (found !== undefined) return found;
      if (Date.now() >= deadline) throw new Error(`it did not come: ${JSON.stringify(this.all.slice(-20), readable)}`);
      // oxlint-disable-next-line no-await-in-loop -- each turn waits for another value
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** All, as soon as there are so many. */
  async atLeast(count: number): Promise<readonly T[]> {
    await this.until(() => this.all.length >= count);
    return this.all;
  }
}

function readable(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString(16) : value;
}
