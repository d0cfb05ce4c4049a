import { tidHex } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import { CommitLock } from "./commit-lock.ts";
import { InvalidationQueue } from "./invalidation-queue.ts";
import type { MemoryStorage } from "./memory-storage.ts";
import type { Session } from "./session.ts";

/** What `ruok` and `server_status` tell, beside what is computed. */
export interface Counters {
  loads: number;
  stores: number;
  commits: number;
  aborts: number;
  activeTransactions: number;
  conflicts: number;
}

/** Who is about to be told of what. */
export interface Telling {
  readonly connection: number;
  readonly storage: string;
  readonly tid: Tid;
  readonly oids: readonly Buffer[];
}

/** One storage as a server offers it: its clients, its commit lock, its queue of invalidations. */
export class HostedStorage {
  readonly id: string;
  readonly storage: MemoryStorage;
  readonly lock = new CommitLock<Session>();
  readonly queue: InvalidationQueue;
  /** Registered clients in the order of their registration. */
  readonly sessions: Session[] = [];
  readonly counters: Counters = { loads: 0, stores: 0, commits: 0, aborts: 0, activeTransactions: 0, conflicts: 0 };
  readonly #start = new Date();

  constructor(id: string, storage: MemoryStorage, queueSize: number) {
    this.id = id;
    this.storage = storage;
    this.queue = new InvalidationQueue(queueSize, storage.lastInvalidations(queueSize));
  }

  remove(session: Session): void {
    const index = this.sessions.indexOf(session);
    if (index >= 0) this.sessions.splice(index, 1);
    this.lock.release(session);
  }

  /** The names that ZEO uses. */
  status(): Record<string, string | number | null> {
    const { loads, stores, commits, aborts, activeTransactions, conflicts } = this.counters;
    return {
      connections: this.sessions.length,
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
