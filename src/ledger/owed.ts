import type { Account, Action, Settled, StorageState } from "./state.ts";

// A session needs T if it registered before T settled, is not the committer's, and (new servers) was not shown T by its
// `register` reply. It is owed T from the settling until the invalidation has gone out, or the session is no more.

/** Must the session hear of it? */
export function needs<P>(state: StorageState<P>, account: Account<P>, settled: Settled): boolean {
  return (
    settled.session !== account.number &&
    account.registered.order < settled.order &&
    (state.server === "old" ||
      account.phase === "registering" ||
      !state.rules.registerCovers ||
      settled.tid > account.floor)
  );
}

export function nowOwed(settled: Settled, session: number): void {
  settled.owed ??= new Set();
  settled.owed.add(session);
}

/** It was told, or need not be any more. May be said again, and of sessions that were never owed anything. */
export function noLongerOwed<P>(settled: Settled, session: number, actions: Action<P>[]): void {
  if (settled.owed?.delete(session) !== true || settled.owed.size > 0) return;
  settled.owed = undefined;
  if (settled.completed + settled.synthesized > 0) actions.push({ do: "repaired", settled });
  // Nobody needs them again: of a large commit they are large.
  settled.lastOwn = undefined;
  settled.madeUp = undefined;
}
