import type { Tid } from "../wire/ids.ts";
import type { Account, Item, StorageState } from "./state.ts";

// Where a message stands in the queue towards its client, and what it waits for. Evidence of a tid waits for the commits
// that may have that tid or a lower one. An invalidation goes before the evidence of its tid, and never before anything
// that was computed earlier and shows less: behind the invalidation that would be an old answer.

/**
 * The number of the newest finishing commit whose tid may lie at `tid` or below; 0: there is none. Bases grow with
 * the numbers (a copied transaction apart, where this waits for too many), so one number stands for a set.
 */
export function waitNumber<P>(state: StorageState<P>, tid: Tid): number {
  if (!state.rules.holdEvidence) return 0;
  for (let i = state.finishing.length - 1; i >= 0; i--) {
    const commit = state.finishing[i];
    if (commit !== undefined && commit.base < tid) return commit.number;
  }
  return 0;
}

export function push<P>(account: Account<P>, item: Item<P>): void {
  account.outbox.push(item);
  account.heldBytes += item.bytes;
}

/** An invalidation goes before the first message that shows its tid or a later one, but never before `register`'s reply. */
export function place<P>(state: StorageState<P>, account: Account<P>, item: Item<P>): void {
  const first = state.rules.registerFirst ? account.outbox.findIndex((other) => other.kind === "register") + 1 : 0;
  const isBehind = (other: Item<P>, at: number): boolean => at >= first && isEvidence(state, other, item.tid);
  const at = state.rules.moveAhead ? account.outbox.findIndex(isBehind) : -1;
  if (at < 0) push(account, item);
  else insert(account, at, item);
}

/** The `register` reply goes before what an old server announced ahead of it. */
export function placeRegister<P>(state: StorageState<P>, account: Account<P>, item: Item<P>): void {
  const at = account.outbox.findIndex((other) => other.kind === "invalidation");
  if (at < 0 || !state.rules.registerFirst) push(account, item);
  else insert(account, at, item);
}

function insert<P>(account: Account<P>, at: number, item: Item<P>): void {
  account.outbox.splice(at, 0, item);
  account.heldBytes += item.bytes;
}

function isEvidence<P>(state: StorageState<P>, item: Item<P>, tid: Tid): boolean {
  if (item.kind === "register") return false;
  return item.kind === "grant" ? state.rules.grantIsEvidence : item.tid >= tid;
}

/**
 * Does the outbox prove that the server's own message of `tid`, which has just settled, will not come? On an old
 * server whatever shows it or a later one does, on a new one only a message of a later tid.
 */
export function provenInOutbox<P>(state: StorageState<P>, account: Account<P>, tid: Tid): boolean {
  return account.outbox.some((item) =>
    state.server === "old"
      ? item.exact && isEvidence(state, item, tid)
      : item.kind === "invalidation" && item.tid > tid,
  );
}
