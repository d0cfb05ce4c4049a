/** How many clients the process may have, whichever upstream they came to. */
export class Room {
  #limit: number;
  #taken = 0;
  readonly #watchers = new Set<(hasRoom: boolean) => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Another `limits.clients`. Nobody is ended for it: below what is taken there is no room until so many have gone. */
  set limit(limit: number) {
    this.#limit = limit;
    this.#tell();
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

  /**
   * Is told whenever somebody has come or gone, or the limit is another one.
   * @returns what ends that
   */
  watch(watcher: (hasRoom: boolean) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher(this.hasRoom);
  }
}
