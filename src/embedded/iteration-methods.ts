import { tidBytes } from "../wire/ids.ts";
import { PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import { StorageFault } from "./faults.ts";
import type { TransactionRecord } from "./memory-storage.ts";
import type { Methods } from "./method.ts";
import type { Session } from "./session.ts";
import { nativeText } from "./style.ts";

type Cursor =
  | { readonly type: "transactions"; readonly entries: readonly TransactionRecord[]; next: number }
  | { readonly type: "records"; readonly transaction: TransactionRecord; next: number };

interface Cursors {
  /** Iterator ids count from 0 for each connection; record iterators share the numbers. */
  issued: number;
  readonly open: Map<number, Cursor>;
}

const cursorsOf = new WeakMap<Session, Cursors>();

/** Reading the whole history (ZEO 4.3.1 and 5.2.1, `StorageServer.iterator_start` and following). */
export const iterationMethods: Methods = {
  iterator_start: (session, args) => {
    const start = args.tidOrNone(0) ?? undefined;
    const stop = args.tidOrNone(1) ?? undefined;
    return open(session, { type: "transactions", entries: session.registered.storage.iterate(start, stop), next: 0 });
  },

  iterator_next: (session, args) => {
    const iid = args.integer(0, -1);
    const cursor = find(session, iid);
    const transaction = cursor.type === "transactions" ? cursor.entries[cursor.next] : undefined;
    if (transaction === undefined) {
      cursors(session).open.delete(iid);
      return null;
    }
    cursor.next += 1;
    const { tid, status, user, description, extension } = transaction;
    return new PyTuple([tidBytes(tid), nativeText(session.style, status), user, description, extension]);
  },

  iterator_record_start: (session, args) => {
    const cursor = find(session, args.integer(0, -1));
    const transaction = cursor.type === "transactions" ? cursor.entries[cursor.next - 1] : undefined;
    if (transaction?.tid !== args.tid(1)) {
      throw new StorageFault({ kind: "value", reason: "Out-of-order request for a record iterator" });
    }
    return open(session, { type: "records", transaction, next: 0 });
  },

  iterator_record_next: (session, args) => {
    const iid = args.integer(0, -1);
    const cursor = find(session, iid);
    const record = cursor.type === "records" ? cursor.transaction.records[cursor.next] : undefined;
    if (cursor.type !== "records" || record === undefined) {
      cursors(session).open.delete(iid);
      return null;
    }
    cursor.next += 1;
    const dataTxn: Value = record.dataTxn === null ? null : tidBytes(record.dataTxn);
    return new PyTuple([record.oid, tidBytes(cursor.transaction.tid), record.data, dataTxn]);
  },

  iterator_gc: (session, args) => {
    for (const iid of args.items(0)) {
      if (typeof iid === "number") cursors(session).open.delete(iid);
    }
    return null;
  },
};

function cursors(session: Session): Cursors {
  let found = cursorsOf.get(session);
  if (found === undefined) {
    found = { issued: 0, open: new Map() };
    cursorsOf.set(session, found);
  }
  return found;
}

function open(session: Session, cursor: Cursor): number {
  const all = cursors(session);
  const iid = all.issued;
  all.issued += 1;
  all.open.set(iid, cursor);
  return iid;
}

function find(session: Session, iid: number): Cursor {
  const cursor = cursors(session).open.get(iid);
  if (cursor === undefined) throw new StorageFault({ kind: "key", reason: `no iterator ${iid}` });
  return cursor;
}
