import type { Commit } from "./truth.ts";

interface Entry {
  /** 0: there is no such object. */
  readonly serial: number;
  /** The storage's last tid when the server said so. */
  readonly at: number;
}

/** What a client has kept of a storage, also while it is away. */
export class Cache {
  readonly entries = new Map<number, Entry>();
  /** By oid: the tid that took it out last. */
  readonly #dropped = new Map<number, number>();
  /** Everything up to here is in it. */
  last = 0;
  /** It is empty, and begins with the first tid that it is told. */
  isFresh = true;
  /** A commit that was copied to below it: its client must verify all of it. */
  copied: { readonly tid: number; readonly oids: readonly number[]; readonly readAt: number } | undefined;
  /**
   * Commits that lie below it and that it was not told of, as that subject (its number) had not read them, or not in time. Nobody
   * else can know (docs/guarantees.md, *What is not promised*).
   */
  readonly untold = new Map<Commit, number>();
  /** Of the history that it is about. */
  generation = 0;

  clear(): void {
    this.entries.clear();
    this.#dropped.clear();
    this.untold.clear();
    this.isFresh = true;
    this.copied = undefined;
    this.last = 0;
  }

  keep(oid: number, serial: number, at: number): void {
    this.entries.set(oid, { serial, at });
  }

  /** The same for a client that looks whether it was told of a newer one meanwhile. */
  keepUnlessDropped(oid: number, serial: number, at: number): void {
    if ((this.#dropped.get(oid) ?? 0) <= at) this.keep(oid, serial, at);
  }

  invalidate(tid: number, oids: readonly number[]): void {
    for (const oid of oids) {
      this.entries.delete(oid);
      this.#dropped.set(oid, tid);
    }
  }

  drop(oid: number): void {
    this.entries.delete(oid);
  }

  serial(oid: number): number | undefined {
    return this.entries.get(oid)?.serial;
  }
}
