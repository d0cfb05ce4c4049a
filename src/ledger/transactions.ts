import type { MessageId } from "../wire/codec.ts";
import { NO_TID, type Tid } from "../wire/ids.ts";
import type { Account } from "./state.ts";
import { addOid, newTransaction, type StoreSort, type Transaction } from "./transaction.ts";

// A client's transactions between `tpc_begin` and its finish or abort, by id. Nothing comes of what is noted here before
// the `tpc_finish`.

/** A server keeps one for each connection, and refuses the others: beyond this a client only fills memory. */
const MAX_TRANSACTIONS = 100;

export function transactionOf<P>(account: Account<P> | undefined, id: MessageId): Transaction | undefined {
  if (account === undefined) return undefined;
  // Without a closure: asked for each store.
  for (const transaction of account.transactions) if (transaction.id === id) return transaction;
  return undefined;
}

/** `tpc_begin`: a second one with the same id keeps the stores, unless a failed vote has cleared them on the server. */
export function begin<P>(account: Account<P>, id: MessageId, explicitTid: Tid): void {
  account.voted = false;
  const open = transactionOf(account, id);
  if (open !== undefined && !open.over) return;
  account.transactions = account.transactions.filter((other) => other !== open);
  if (account.transactions.length >= MAX_TRANSACTIONS) {
    account.transactions = account.transactions.filter((other) => !other.over);
    if (account.transactions.length >= MAX_TRANSACTIONS) return;
  }
  account.transactions.push(newTransaction(id, explicitTid));
}

/** The eight bytes of the oid at `offset`. `transaction`: undefined without its `tpc_begin`, when the server refuses it. */
export function store(
  transaction: Transaction | undefined,
  sort: StoreSort,
  serial: "zero" | "none" | "set",
  from: Buffer,
  offset: number,
): void {
  if (transaction === undefined) return;
  addOid(transaction, sort, from, offset);
  if ((sort === "created" || sort === "modified") && serial !== "zero") transaction.modifies = true;
}

/** An old server's `serialnos` named these oids (packed) as refused: it does not say of which transaction. */
export function refuse<P>(account: Account<P> | undefined, oids: Buffer): void {
  for (const transaction of account?.transactions ?? []) {
    for (let at = 0; at < oids.length; at += 8) addOid(transaction, "refused", oids, at);
  }
}

/** Memory of what is noted, in bytes. */
export function notedBytes<P>(account: Account<P> | undefined): number {
  let bytes = 0;
  for (const { created, modified, restored, deleted, refused } of account?.transactions ?? []) {
    bytes += created.bytes.length + modified.bytes.length + restored.bytes.length;
    bytes += deleted.bytes.length + refused.bytes.length;
  }
  return bytes;
}

export function abort<P>(account: Account<P> | undefined, id: MessageId): void {
  if (account === undefined) return;
  account.voted = account.granted = false;
  account.transactions = account.transactions.filter((other) => other.id !== id);
}

/** The transaction of a `tpc_finish`, which takes it; an empty one where nothing was begun. */
export function take<P>(account: Account<P> | undefined, id: MessageId): Transaction {
  const transaction = transactionOf(account, id) ?? newTransaction(id, NO_TID);
  if (account !== undefined) {
    account.voted = false;
    account.transactions = account.transactions.filter((other) => other !== transaction);
  }
  return transaction;
}
