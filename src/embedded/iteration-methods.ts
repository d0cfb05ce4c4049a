import { tidBytes } from "../wire/ids.ts";
import { PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import { StorageFault } from "./faults.ts";
import type { TransactionRecord } from "./transaction-record.ts";
import type { Methods } from "./method.ts";
import type { Caller } from "./caller.ts";
import { nativeText } from "./style.ts";

type Cursor =
  | { readonly type: "transactions"; readonly entries: readonly TransactionRecord[]; next: number }
  | { readonly type: "records"; readonly transaction: TransactionRecord; next: number };

interface Cursors {
  /** Iterator ids count from 0 for each connection; record iterators share the numbers. */
  issued: number;
  readonly open: Map<number, Cursor>;
}

const cursorsOf = new WeakMap<Caller, Cursors>();

/** Reading the whole history (ZEO 4.3.1 and 5.2.1, `StorageServer.iterator_start` and following). */
export const iterationMethods: Methods = {
  iterator_start: (caller, args) => {
    const start = args.tidOrNone(0) ?? undefined;
    const stop = args.tidOrNone(1) ?? undefined;
    return open(caller, { type: "transactions", entries: caller.registered.storage.iterate(start, stop), next: 0 });
  },

  iterator_next: (caller, args) => {
    const iid = args.integer(0, -1);
    const cursor = find(caller, iid);
    const transaction = cursor.type === "transactions" ? cursor.entries[cursor.next] : undefined;
    if (transaction === undefined) {
      cursors(caller).open.delete(iid);
      return null;
    }
    cursor.next += 1;
    const { tid, status, user, description, extension } = transaction;
    return new PyTuple([tidBytes(tid), nativeText(caller.style, status), user, description, extension]);
  },

  iterator_record_start: (caller, args) => {
    const cursor = find(caller, args.integer(0, -1));
    const transaction = cursor.type === "transactions" ? cursor.entries[cursor.next - 1] : undefined;
    if (transaction?.tid !== args.tid(1)) {
      throw new StorageFault({ kind: "value", reason: "Out-of-order request for a record iterator" });
    }
    return open(caller, { type: "records", transaction, next: 0 });
  },

  iterator_record_next: (caller, args) => {
    const iid = args.integer(0, -1);
    const cursor = find(caller, iid);
    const record = cursor.type === "records" ? cursor.transaction.records[cursor.next] : undefined;
    if (cursor.type !== "records" || record === undefined) {
      cursors(caller).open.delete(iid);
      return null;
    }
    cursor.next += 1;
    const dataTxn: Value = record.dataTxn === null ? null : tidBytes(record.dataTxn);
    return new PyTuple([record.oid, tidBytes(cursor.transaction.tid), record.data, dataTxn]);
  },

  iterator_gc: (caller, args) => {
    for (const iid of args.items(0)) {
      if (typeof iid === "number") cursors(caller).open.delete(iid);
    }
    return null;
  },
};

function cursors(caller: Caller): Cursors {
  let found = cursorsOf.get(caller);
  if (found === undefined) {
    found = { issued: 0, open: new Map() };
    cursorsOf.set(caller, found);
  }
  return found;
}

function open(caller: Caller, cursor: Cursor): number {
  const all = cursors(caller);
  const iid = all.issued;
  all.issued += 1;
  all.open.set(iid, cursor);
  return iid;
}

function find(caller: Caller, iid: number): Cursor {
  const cursor = cursors(caller).open.get(iid);
  if (cursor === undefined) throw new StorageFault({ kind: "key", reason: `no iterator ${iid}` });
  return cursor;
}
