import type { Tid } from "../wire/ids.ts";

export interface Invalidation {
  readonly tid: Tid;
  readonly oids: readonly Buffer[];
}

/**
 * The last transactions of one storage as its server told of them, for clients that come back. What the server left out
 * of its messages is missing here too (ZEO 4.3.1 and 5.2.1, `StorageServer.invalidate`, `get_invalidations`).
 */
export class InvalidationQueue {
  /** Newest first. */
  readonly #entries: Invalidation[];
  readonly #bound: number;

  /** `first`: the newest transactions of the storage when the server starts, newest first. */
  constructor(bound: number, first: readonly Invalidation[]) {
    this.#bound = bound;
    this.#entries = first.slice(0, bound);
  }

  add(invalidation: Invalidation): void {
    if (this.#entries.length >= this.#bound) this.#entries.pop();
    this.#entries.unshift(invalidation);
  }

  /**
   * What changed after `tid`: the newest entry's tid (which may be below `tid` when a transaction was not entered), and
   * each oid once. Undefined: the queue does not reach back so far.
   */
  since(tid: Tid): Invalidation | undefined {
    const oldest = this.#entries.at(-1);
    const newest = this.#entries[0];
    if (oldest === undefined || newest === undefined || oldest.tid > tid) return undefined;
    const oids = new Map<string, Buffer>();
    for (const entry of this.#entries) {
      if (entry.tid <= tid) break;
      for (const oid of entry.oids) oids.set(oid.toString("hex"), oid);
    }
    return { tid: newest.tid, oids: [...oids.values()] };
  }
}
