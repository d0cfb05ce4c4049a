import { asTid, type Tid } from "../wire/ids.ts";
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

export function push<P>(state: StorageState<P>, account: Account<P>, item: Item<P>): void {
  account.outbox.push(item);
  added(state, account, item);
}

/** An invalidation goes before the first message that shows its tid or a later one, but never before `register`'s reply. */
export function place<P>(state: StorageState<P>, account: Account<P>, item: Item<P>): void {
  const at = state.rules.moveAhead && item.tid <= account.top ? firstEvidence(state, account, item.tid) : -1;
  if (at < 0) push(state, account, item);
  else insert(state, account, at, item);
}

/** The same for several, by growing tids: in one pass over what waits. */
export function placeAll<P>(state: StorageState<P>, account: Account<P>, items: readonly Item<P>[]): void {
  const [lowest] = items;
  const at =
    lowest !== undefined && state.rules.moveAhead && lowest.tid <= account.top
      ? firstEvidence(state, account, lowest.tid)
      : -1;
  if (at < 0) {
    for (const item of items) push(state, account, item);
    return;
  }
  const behind = account.outbox.splice(at);
  let next = 0;
  for (const other of behind) {
    for (; next < items.length; next++) {
      const item = items[next] as Item<P>;
      if (!isEvidence(state, other, item.tid)) break;
      push(state, account, item);
    }
    account.outbox.push(other);
  }
  for (const item of items.slice(next)) push(state, account, item);
}

function firstEvidence<P>(state: StorageState<P>, { outbox }: Account<P>, tid: Tid): number {
  const first = state.rules.registerFirst ? outbox.findIndex((other) => other.kind === "register") + 1 : 0;
  return outbox.findIndex((other, at) => at >= first && isEvidence(state, other, tid));
}

/** The `register` reply goes before what an old server announced ahead of it. */
export function placeRegister<P>(state: StorageState<P>, account: Account<P>, item: Item<P>): void {
  const at = account.outbox.findIndex((other) => other.kind === "invalidation");
  if (at < 0 || !state.rules.registerFirst) push(state, account, item);
  else insert(state, account, at, item);
}

function insert<P>(state: StorageState<P>, account: Account<P>, at: number, item: Item<P>): void {
  account.outbox.splice(at, 0, item);
  added(state, account, item);
}

function added<P>(state: StorageState<P>, account: Account<P>, { kind, tid, bytes }: Item<P>): void {
  state.mayOwe = true;
  account.heldBytes += bytes;
  const top = kind === "grant" ? ABOVE_ALL : tid;
  if (top > account.top) account.top = top;
}

/** A granted vote is evidence of every tid. */
const ABOVE_ALL = asTid(2n ** 64n - 1n);

/** The invalidation of that tid, where one waits. */
export function invalidationAt<P>(account: Account<P>, tid: Tid): Item<P> | undefined {
  if (tid > account.top) return undefined;
  return account.outbox.find((other) => other.kind === "invalidation" && other.tid === tid);
}

function isEvidence<P>(state: StorageState<P>, item: Item<P>, tid: Tid): boolean {
  if (item.kind === "register") return false;
  return item.kind === "grant" ? state.rules.grantIsEvidence : item.tid >= tid;
}

/** Is a reply to its own `tpc_finish` held that shows that tid or a higher one? */
export function awaitsOwn<P>({ outbox }: Account<P>, tid: Tid): boolean {
  return outbox.some((one) => one.isFinish && one.tid >= tid);
}

/** The server's message of that tid is not told to it, if it waits. */
export function withdraw<P>(account: Account<P>, tid: Tid): void {
  const waiting = invalidationAt(account, tid);
  if (waiting !== undefined) take(account, waiting);
}

/** The made-up messages behind that one, up to that tid, are taken out. */
export function takeMadeUp<P>(account: Account<P>, behind: Item<P>, upTo: Tid): Item<P>[] {
  const { outbox } = account;
  const taken = outbox.slice(outbox.indexOf(behind) + 1).filter((one) => one.settled !== undefined && one.tid <= upTo);
  for (const one of taken) take(account, one);
  return taken;
}

function take<P>(account: Account<P>, waiting: Item<P>): void {
  account.outbox.splice(account.outbox.indexOf(waiting), 1);
  account.heldBytes -= waiting.bytes;
}

/**
 * Does the outbox prove that the server's own message of `tid`, which has just settled, will not come? On an old
 * server whatever shows it or a later one does, on a new one only a message of a later tid.
 */
export function provenInOutbox<P>(state: StorageState<P>, account: Account<P>, tid: Tid): boolean {
  if (tid > account.top) return false;
  return account.outbox.some((item) =>
    state.server === "old"
      ? item.exact && isEvidence(state, item, tid)
      : item.kind === "invalidation" && item.tid > tid,
  );
}
