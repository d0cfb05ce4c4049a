import type { Account, Due, Item, Settled, StorageState } from "../../src/ledger/state.ts";
import type { Transaction } from "../../src/ledger/transaction.ts";

/*
 * Copies of what the ledger changes in place; the rest is shared. A `Settled` is referred to from the history, from
 * what is due and from made-up messages, so it is copied once and the references follow.
 */

/** A copy that shares nothing that the ledger changes, but for the builders of a transaction: see `unshare`. */
export function cloneStorage<P>(state: StorageState<P>): StorageState<P> {
  const history: Settled[] = [];
  for (const settled of state.history) history.push({ ...settled, owed: settled.owed && new Set(settled.owed) });
  const moved = (settled: Settled): Settled => {
    const at = state.history.indexOf(settled);
    if (at < 0) throw new Error("a settled commit that is not in the history is still referred to");
    return history[at] as Settled;
  };
  const accounts = new Map<number, Account<P>>();
  for (const [number, account] of state.accounts) accounts.set(number, cloneAccount(account, moved));
  return {
    ...state,
    finishing: state.finishing.length === 0 ? [] : state.finishing.slice(),
    history,
    heard: state.heard.size === 0 ? new Map() : new Map(state.heard),
    limbo: state.limbo === undefined ? undefined : { ...state.limbo },
    accounts,
  };
}

function cloneAccount<P>(account: Account<P>, moved: (settled: Settled) => Settled): Account<P> {
  const due: Due[] = [];
  for (const one of account.due) due.push({ settled: moved(one.settled), since: one.since });
  const outbox: Item<P>[] = [];
  for (const item of account.outbox) {
    outbox.push(item.settled === undefined ? item : { ...item, settled: moved(item.settled) });
  }
  const transactions: Transaction[] = [];
  for (const transaction of account.transactions) transactions.push({ ...transaction });
  return { ...account, transactions, due, outbox };
}

/** Copies what an oid is about to be appended to. */
export function unshare<P>(account: Account<P> | undefined): void {
  if (account === undefined) return;
  account.transactions = account.transactions.map((transaction) => ({
    ...transaction,
    created: copyBuilder(transaction.created),
    modified: copyBuilder(transaction.modified),
    restored: copyBuilder(transaction.restored),
    deleted: copyBuilder(transaction.deleted),
    refused: copyBuilder(transaction.refused),
  }));
}

function copyBuilder(builder: Transaction["created"]): Transaction["created"] {
  return { bytes: Buffer.from(builder.bytes), length: builder.length };
}
