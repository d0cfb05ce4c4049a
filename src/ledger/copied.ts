import { doubt, highest } from "./history.ts";
import { endSession } from "./leave.ts";
import type { Action, Copied, Settled, StorageState } from "./state.ts";

// A transaction copied into a filled database (`tpc_begin` named its tid) lies below what clients know already. They can't
// be told in order, and what they cached may be stale: they all verify. Of many that are copied one behind the other they
// verify at the first, and again when the copying ends, or goes on for long: a session that is ended for each would never
// work.

/** So long the others are let work before they verify once more. */
export const COPYING_MS = 60_000;

/** It has settled below what is known: nothing up to that is resumed from here. `now` in ms of the caller's clock. */
export function copiedHistory<P>(state: StorageState<P>, settled: Settled, now: number, actions: Action<P>[]): void {
  const { tid, session: by, order } = settled;
  const known = highest(state);
  doubt(state);
  const { copied } = state;
  if (copied !== undefined && now < copied.endedAt + COPYING_MS) {
    state.copied = { ...copied, again: { by, tid, order, known } };
    return;
  }
  endOthers(state, { by, tid, order, known }, actions);
  state.copied = { endedAt: now, again: undefined };
}

/** Is the time still to come when the others verify once more? */
export function isCopying<P>({ copied }: StorageState<P>): boolean {
  return copied?.again !== undefined;
}

/** Has it come? */
export function endCopying<P>(state: StorageState<P>, now: number, actions: Action<P>[]): void {
  const { copied } = state;
  if (copied?.again === undefined) return;
  if (state.accounts.has(copied.again.by) && now < copied.endedAt + COPYING_MS) return;
  state.copied = { endedAt: now, again: undefined };
  endOthers(state, copied.again, actions);
}

function endOthers<P>(state: StorageState<P>, { by, tid, order, known }: Copied, actions: Action<P>[]): void {
  actions.push({ do: "copied-history", by, tid, known });
  for (const account of [...state.accounts.values()]) {
    // Who has registered since verifies with all of it in the database.
    if (account.number === by || account.registered.order >= order) continue;
    endSession(state, account, "copied-history", tid, actions);
  }
}
