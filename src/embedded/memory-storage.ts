import { NO_TID, readTid, tidAt, tidBytes, asTid } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import { StorageFault } from "./faults.ts";
import { PendingTransaction } from "./pending-transaction.ts";
import type { PendingOwner } from "./pending-transaction.ts";
import type { TransactionInfo, TransactionRecord } from "./transaction-record.ts";

/** One version of one object. `data` is null where the object was deleted or its creation undone. */
export interface Revision {
  readonly serial: Tid;
  readonly data: Buffer | null;
}

export interface MemoryStorageOptions {
  readonly name?: string;
  readonly readOnly?: boolean;
  /** Milliseconds since 1970; for tests that need tids at chosen moments. */
  readonly now?: () => number;
}

/**
 * A ZODB storage that keeps every revision in memory. It answers as FileStorage does (ZODB 5.8.1, `FileStorage.py`):
 * which calls raise POSKeyError, what `loadBefore` returns, what a conflict is. No packing, no blobs, and conflicts are
 * never resolved here.
 */
export class MemoryStorage implements PendingOwner {
  readonly name: string;
  readonly readOnly: boolean;
  readonly #now: () => number;
  /** By oid in hex, oldest first, as they were committed. */
  readonly #objects = new Map<string, Revision[]>();
  readonly #log: TransactionRecord[] = [];
  #last: Tid = NO_TID;
  #maxOid = 0n;
  #bytes = 4;
  #pending: PendingTransaction | undefined;

  constructor(options: MemoryStorageOptions = {}) {
    this.name = options.name ?? "memory";
    this.readOnly = options.readOnly ?? false;
    this.#now = options.now ?? Date.now;
  }

  /** How many objects there are. */
  get length(): number {
    return this.#objects.size;
  }

  /** Bytes, roughly. */
  get size(): number {
    return this.#bytes;
  }

  /** Oldest first. */
  get transactions(): readonly TransactionRecord[] {
    return this.#log;
  }

  lastTransaction(): Tid {
    return this.#last;
  }

  newOids(count: number): Buffer[] {
    return Array.from({ length: count }, () => {
      this.#maxOid += 1n;
      return tidBytes(asTid(this.#maxOid));
    });
  }

  /** The newest revision. Throws `no-object` for an unknown or deleted object. */
  load(oid: Buffer): { data: Buffer; serial: Tid } {
    const revision = this.#revisions(oid).at(-1);
    if (revision?.data == null) throw new StorageFault({ kind: "no-object", oid });
    return { data: revision.data, serial: revision.serial };
  }

  /**
   * The newest revision with a serial below `before`, and the serial of the one that follows it; undefined when the
   * object is younger. Throws `no-object` for an unknown object, and where that revision is a deletion.
   */
  loadBefore(oid: Buffer, before: Tid): { data: Buffer; serial: Tid; end: Tid | undefined } | undefined {
    const revisions = this.#revisions(oid);
    let end: Tid | undefined;
    for (let i = revisions.length - 1; i >= 0; i--) {
      const revision = revisions[i] as Revision;
      if (revision.serial < before) {
        if (revision.data === null) throw new StorageFault({ kind: "no-object", oid });
        return { data: revision.data, serial: revision.serial, end };
      }
      end = revision.serial;
    }
    return undefined;
  }

  /** One revision's data. Throws `no-object`. */
  loadSerial(oid: Buffer, serial: Tid): Buffer {
    const data = this.#revisions(oid).find((revision) => revision.serial === serial)?.data;
    if (data == null) throw new StorageFault({ kind: "no-object", oid });
    return data;
  }

  /** The newest serial, of a deletion too. Throws `no-object` for an unknown object. */
  getTid(oid: Buffer): Tid {
    return (this.#revisions(oid).at(-1) as Revision).serial;
  }

  /** The newest serial; undefined for an unknown object. */
  currentSerial(oid: Buffer): Tid | undefined {
    return this.#objects.get(oid.toString("hex"))?.at(-1)?.serial;
  }

  /** The transactions that wrote the object, newest first. Throws `no-object`. */
  history(oid: Buffer, count: number): { transaction: TransactionRecord; size: number }[] {
    const key = oid.toString("hex");
    return this.#revisions(oid)
      .slice(-Math.max(1, count))
      .reverse()
      .map(({ serial, data }) => {
        const transaction = this.transaction(serial);
        if (transaction === undefined) throw new Error(`no transaction for ${key}`);
        return { transaction, size: data?.length ?? 0 };
      });
  }

  transaction(tid: Tid): TransactionRecord | undefined {
    return this.#log.findLast((transaction) => transaction.tid === tid);
  }

  /** The transactions from `start` to `stop`, both inclusive; undefined = open. */
  iterate(start: Tid | undefined, stop: Tid | undefined): TransactionRecord[] {
    return this.#log.filter(({ tid }) => (start === undefined || tid >= start) && (stop === undefined || tid <= stop));
  }

  /** The last `count` transactions with all their oids, newest first: what a server's queue is filled with at start. */
  lastInvalidations(count: number): { tid: Tid; oids: Buffer[] }[] {
    return this.#log
      .slice(-count)
      .reverse()
      .map(({ tid, records }) => ({ tid, oids: records.map((record) => record.oid) }));
  }

  /** The data before `tid` of an object whose newest revision is `tid`; null where there was none. For undo. */
  dataBefore(oid: Buffer, tid: Tid): { data: Buffer | null; serial: Tid | null } {
    const revisions = this.#revisions(oid);
    const newest = revisions.at(-1);
    if (newest?.serial !== tid) {
      throw new StorageFault({ kind: "undo", reason: "Some data were modified by a later transaction" });
    }
    const previous = revisions.at(-2);
    return { data: previous?.data ?? null, serial: previous?.serial ?? null };
  }

  /**
   * Begins the one transaction that may be open. Its tid is chosen here (or given, when history is copied), and nobody
   * sees it before `finish`.
   */
  begin(info: TransactionInfo, tid?: Tid): PendingTransaction {
    if (this.readOnly) throw new StorageFault({ kind: "read-only" });
    if (this.#pending !== undefined) {
      throw new StorageFault({ kind: "transaction-state", reason: "another transaction is open" });
    }
    const newest = tidAt(this.#now());
    const chosen = tid ?? (newest > this.#last ? newest : asTid(this.#last + 1n));
    this.#pending = new PendingTransaction(this, info, chosen);
    return this.#pending;
  }

  /** Called by the pending transaction only: it is over, with a record or without. */
  settle(pending: PendingTransaction, record: TransactionRecord | undefined): void {
    if (this.#pending !== pending) return;
    this.#pending = undefined;
    if (record === undefined) return;
    this.#last = record.tid;
    this.#log.push(record);
    for (const { oid, data } of record.records) {
      const key = oid.toString("hex");
      const revisions = this.#objects.get(key);
      const revision: Revision = { serial: record.tid, data };
      if (revisions === undefined) this.#objects.set(key, [revision]);
      else if (revisions.at(-1)?.serial === record.tid) revisions[revisions.length - 1] = revision;
      else revisions.push(revision);
      const number = readTid(oid);
      if (number > this.#maxOid) this.#maxOid = number;
      this.#bytes += (data?.length ?? 0) + 42;
    }
  }

  #revisions(oid: Buffer): Revision[] {
    const revisions = this.#objects.get(oid.toString("hex"));
    if (revisions === undefined) throw new StorageFault({ kind: "no-object", oid });
    return revisions;
  }
}
