/** A storage's commit lock: one connection has it from its vote to the end of its transaction, the others queue. */
export class CommitLock<Owner extends object> {
  #owner: Owner | undefined;
  readonly #waiting: { readonly owner: Owner; readonly granted: () => void }[] = [];

  get owner(): Owner | undefined {
    return this.#owner;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  isWaiting(owner: Owner): boolean {
    return this.#waiting.some((entry) => entry.owner === owner);
  }

  /** Calls `granted` with the lock held: at once and in here when it is free, else later. False when it waits. */
  acquire(owner: Owner, granted: () => void): boolean {
    if (this.#owner !== undefined) {
      this.#waiting.push({ owner, granted });
      return false;
    }
    this.#owner = owner;
    granted();
    return true;
  }

  /** Gives the lock up, or the place in the queue. The next one runs in its own turn of the event loop. */
  release(owner: Owner): void {
    const index = this.#waiting.findIndex((entry) => entry.owner === owner);
    if (index >= 0) this.#waiting.splice(index, 1);
    if (this.#owner !== owner) return;
    this.#owner = undefined;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#owner = next.owner;
    setImmediate(() => {
      // It may have gone, or been passed over, meanwhile.
      if (this.#owner === next.owner) next.granted();
    });
  }
}
