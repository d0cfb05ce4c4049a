/** How many clients the process may have, whichever upstream they came to. */
export class Room {
  readonly #limit: number;
  #taken = 0;
  readonly #watchers = new Set<(hasRoom: boolean) => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get hasRoom(): boolean {
    return this.#taken < this.#limit;
  }

  get taken(): number {
    return this.#taken;
  }

  take(): void {
    this.#taken++;
    this.#tell();
  }

  free(): void {
    this.#taken--;
    this.#tell();
  }

  /** Is told whenever somebody has come or gone. */
  watch(watcher: (hasRoom: boolean) => void): void {
    this.#watchers.add(watcher);
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher(this.hasRoom);
  }
}
