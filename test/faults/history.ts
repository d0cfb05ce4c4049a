/** One transaction of the server's file. */
export interface TrueTransaction {
  readonly tid: string;
  /** Its description: which writer's which commit it is. */
  readonly mark: string;
  /** Oids with the checksum of their data, or null where the object is deleted. */
  readonly records: readonly (readonly [oid: string, checksum: number | null])[];
}

export interface Revision {
  readonly tid: string;
  readonly checksum: number | null;
}

/** All that was committed, as the server's file has it. */
export class History {
  /** In the order of their tids. */
  readonly transactions: readonly TrueTransaction[];
  readonly #byTid: ReadonlyMap<string, TrueTransaction>;
  readonly #byMark: ReadonlyMap<string, TrueTransaction>;
  readonly #revisions = new Map<string, Revision[]>();

  constructor(transactions: readonly TrueTransaction[]) {
    this.transactions = [...transactions].sort((a, b) => (a.tid < b.tid ? -1 : 1));
    this.#byTid = new Map(transactions.map((transaction) => [transaction.tid, transaction]));
    this.#byMark = new Map(transactions.map((transaction) => [transaction.mark, transaction]));
    for (const { tid, records } of this.transactions) {
      for (const [oid, checksum] of records) {
        const revisions = this.#revisions.get(oid) ?? [];
        this.#revisions.set(oid, revisions);
        revisions.push({ tid, checksum });
      }
    }
  }

  get last(): string {
    return this.transactions.at(-1)?.tid ?? "";
  }

  at(tid: string): TrueTransaction | undefined {
    return this.#byTid.get(tid);
  }

  marked(mark: string): TrueTransaction | undefined {
    return this.#byMark.get(mark);
  }

  /** In the order of their tids. */
  revisions(oid: string): readonly Revision[] {
    return this.#revisions.get(oid) ?? [];
  }

  /** The one that is current at `tid`; undefined before the first. */
  revisionAt(oid: string, tid: string): Revision | undefined {
    return this.revisions(oid).findLast((revision) => revision.tid <= tid);
  }

  /** The one that replaced that of `tid`; undefined where that is current. */
  revisionAfter(oid: string, tid: string): Revision | undefined {
    return this.revisions(oid).find((revision) => revision.tid > tid);
  }

  changes(tid: string, oid: string): boolean {
    return this.at(tid)?.records.some(([changed]) => changed === oid) === true;
  }
}
