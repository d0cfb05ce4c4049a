import { tidHex } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import { CommitLock } from "./commit-lock.ts";
import { InvalidationQueue } from "./invalidation-queue.ts";
import type { MemoryStorage } from "./memory-storage.ts";

/** What `ruok` and `server_status` tell, beside what is computed. */
export interface Counters {
  loads: number;
  stores: number;
  commits: number;
  aborts: number;
  activeTransactions: number;
  conflicts: number;
}

/** A client as its storage knows it: somebody to tell of commits. */
export interface Registrant {
  /** 1, 2, ... in the order in which the server accepted. */
  readonly connection: number;
  tellInvalidation(tid: Tid, oids: readonly Buffer[]): void;
}

/** One storage as a server offers it: its clients, its commit lock, its queue of invalidations. */
export class HostedStorage {
  readonly id: string;
  readonly storage: MemoryStorage;
  readonly lock = new CommitLock<Registrant>();
  readonly queue: InvalidationQueue;
  /** Registered clients in the order of their registration. */
  readonly registrants: Registrant[] = [];
  readonly counters: Counters = { loads: 0, stores: 0, commits: 0, aborts: 0, activeTransactions: 0, conflicts: 0 };
  readonly #start = new Date();

  constructor(id: string, storage: MemoryStorage, queueSize: number) {
    this.id = id;
    this.storage = storage;
    this.queue = new InvalidationQueue(queueSize, storage.lastInvalidations(queueSize));
  }

  remove(registrant: Registrant): void {
    const index = this.registrants.indexOf(registrant);
    if (index >= 0) this.registrants.splice(index, 1);
    this.lock.release(registrant);
  }

  /** The names that ZEO uses. */
  status(): Record<string, string | number | null> {
    const { loads, stores, commits, aborts, activeTransactions, conflicts } = this.counters;
    return {
      connections: this.registrants.length,
      loads,
      stores,
      commits,
      aborts,
      active_txns: activeTransactions,
      lock_time: null,
      conflicts,
      conflicts_resolved: 0,
      start: this.#start.toUTCString(),
      waiting: this.lock.waiting,
      "timeout-thread-is-alive": "stub",
      "last-transaction": tidHex(this.storage.lastTransaction()),
    };
  }
}
