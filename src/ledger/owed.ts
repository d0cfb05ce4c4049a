import type { Tid } from "../wire/ids.ts";
import { NO_OIDS } from "./oid-set.ts";
import { NOBODY, type Account, type Action, type Due, type Settled, type StorageState } from "./state.ts";
import { NO_CHANGES } from "./transaction.ts";

// A session needs T if it registered before T settled, is not the committer's, and was not shown T when it came: by the reply to
// `register` (new servers), or, where T is a commit of others, by the first to `lastTransaction` (old ones). It is owed T from the settling until the invalidation has gone out, or the session is no more.

/** Is anything held for it, or due? */
export function owesTo<P>({ outbox, due, late }: Account<P>): boolean {
  return outbox.length > 0 || due.length > 0 || late !== undefined;
}

/** Is anything held for anybody, or due? */
export function owesAnybody<P>({ accounts }: StorageState<P>): boolean {
  for (const account of accounts.values()) if (owesTo(account)) return true;
  return false;
}

/** Must the session hear of it? */
export function needs<P>(state: StorageState<P>, account: Account<P>, settled: Settled): boolean {
  if (settled.session === account.number || account.registered.order >= settled.order) return false;
  if (!state.rules.registerCovers) return true;
  if (state.server === "old") return settled.session !== NOBODY || settled.tid > account.answered;
  return account.phase === "registering" || settled.tid > account.floor;
}

/** How many of what is due to it have a tid up to this one. */
export function dueUpTo<P>({ due }: Account<P>, tid: bigint): number {
  let low = 0;
  let high = due.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((due[middle] as Due).settled.tid <= tid) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where in what is due to it that tid stands; -1: it is not due. */
export function dueAt<P>(account: Account<P>, tid: Tid): number {
  const at = dueUpTo(account, tid) - 1;
  // Before the first one nothing is looked for: as a name, and at great cost.
  return at >= 0 && account.due[at]?.settled.tid === tid ? at : -1;
}

export function nowOwed(settled: Settled, session: number): void {
  settled.owed ??= new Set();
  settled.owed.add(session);
}

/** It was told, or need not be any more. May be said again, and of sessions that were never owed anything. */
export function noLongerOwed<P>(settled: Settled, session: number, actions: Action<P>[]): void {
  if (settled.owed?.delete(session) !== true || settled.owed.size > 0) return;
  settled.owed = undefined;
  if (settled.completed + settled.synthesized > 0) actions.push({ do: "repaired", settled: { ...settled } });
  forgetDetails(settled);
}

/** Of a commit that nobody is owed the tid and the complete set are needed, and no more: the history has many. */
export function forgetDetails(settled: Settled): void {
  settled.changes = NO_CHANGES;
  if (settled.added !== undefined) settled.added = NO_OIDS;
  settled.lastOwn = undefined;
  settled.madeUp = undefined;
}
