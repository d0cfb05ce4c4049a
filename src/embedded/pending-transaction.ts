import { NO_TID, tidBytes } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import { StorageFault } from "./faults.ts";
import type { TransactionInfo, TransactionRecord } from "./transaction-record.ts";

/** The storage that a pending transaction is of: what is committed there, and whom to say that it is over. */
export interface PendingOwner {
  /** The newest serial; undefined for an unknown object. */
  currentSerial(oid: Buffer): Tid | undefined;
  /** The newest serial, of a deletion too. Throws `no-object` for an unknown object. */
  getTid(oid: Buffer): Tid;
  transaction(tid: Tid): TransactionRecord | undefined;
  /** The data before `tid` of an object whose newest revision is `tid`; null where there was none. Throws `undo`. */
  dataBefore(oid: Buffer, tid: Tid): { data: Buffer | null; serial: Tid | null };
  /** The transaction is over, with a record when it is committed. */
  settle(pending: PendingTransaction, record: TransactionRecord | undefined): void;
}

/** The transaction that holds a storage's commit lock: from the vote to the finish or abort. */
export class PendingTransaction {
  readonly tid: Tid;
  readonly #storage: PendingOwner;
  readonly #info: TransactionInfo;
  readonly #records: TransactionRecord["records"][number][] = [];

  constructor(storage: PendingOwner, info: TransactionInfo, tid: Tid) {
    this.tid = tid;
    this.#storage = storage;
    this.#info = info;
  }

  /**
   * `serial` is what the client read: `NO_TID` for a new object, null for None. Throws `conflict` when the object has
   * another serial by now; an unknown object takes any.
   */
  store(oid: Buffer, serial: Tid | null, data: Buffer): void {
    const current = this.#storage.currentSerial(oid);
    if (current !== undefined && current !== serial) {
      throw new StorageFault({
        kind: "conflict",
        oid,
        current: tidBytes(current),
        old: serial === null ? null : tidBytes(serial),
      });
    }
    this.#records.push({ oid, data, dataTxn: null });
  }

  /** Copied history: nothing is checked. */
  restore(oid: Buffer, data: Buffer | null): void {
    this.#records.push({ oid, data, dataTxn: null });
  }

  /** Throws `no-object` or `conflict`. */
  delete(oid: Buffer, serial: Tid | null): void {
    const current = this.#storage.getTid(oid);
    if (current !== serial) {
      throw new StorageFault({
        kind: "conflict",
        oid,
        current: tidBytes(current),
        old: serial === null ? null : tidBytes(serial),
      });
    }
    this.#records.push({ oid, data: null, dataTxn: null });
  }

  /** Throws `no-object` or `read-conflict`. */
  check(oid: Buffer, serial: Tid | null): void {
    const current = this.#storage.getTid(oid);
    if (current !== serial) {
      throw new StorageFault({
        kind: "read-conflict",
        oid,
        current: tidBytes(current),
        old: tidBytes(serial ?? NO_TID),
      });
    }
  }

  /** Takes a whole transaction back and returns its oids. Throws `undo` where a later one changed an object. */
  undo(tid: Tid): Buffer[] {
    const undone = this.#storage.transaction(tid);
    if (undone === undefined) throw new StorageFault({ kind: "undo", reason: "Invalid transaction id" });
    const records = undone.records.map(({ oid }) => {
      const { data, serial } = this.#storage.dataBefore(oid, tid);
      return { oid, data, dataTxn: serial };
    });
    for (const record of records) this.#records.push(record);
    return records.map((record) => record.oid);
  }

  get empty(): boolean {
    return this.#records.length === 0;
  }

  /**
   * Commits. With `keepTid` an empty transaction leaves no trace, as FileStorage before ZODB 5 had it. `told` runs
   * after the commit and before anybody can see it.
   */
  finish(keepTid: boolean, told: (tid: Tid) => void): void {
    if (keepTid && this.empty) {
      this.#storage.settle(this, undefined);
      return;
    }
    this.#storage.settle(this, { ...this.#info, tid: this.tid, records: this.#records });
    told(this.tid);
  }

  abort(): void {
    this.#storage.settle(this, undefined);
  }
}
