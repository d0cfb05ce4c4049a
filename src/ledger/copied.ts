import type { Tid } from "../wire/ids.ts";
import { doubt, highest } from "./history.ts";
import { endSession } from "./leave.ts";
import { withdraw } from "./place.ts";
import type { Action, Copied, Settled, StorageState } from "./state.ts";

// A transaction copied into a filled database (`tpc_begin` named its tid) lies below what clients know already. They can't
// be told in order, and what they cached may be stale: they all verify. Of many that are copied one behind the other they
// verify at the first, and again when the copying ends, or goes on for long: a session that is ended for each would never
// work.

/** So long the others are let work before they verify once more. */
export const COPYING_MS = 30_000;

/** Beyond these nothing is on its way any more. */
const MOST_TIDS = 10_000;

/** It has settled below what is known: nothing up to that is resumed from here. `now` in ms of the caller's clock. */
export function copiedHistory<P>(state: StorageState<P>, settled: Settled, now: number, actions: Action<P>[]): void {
  const { tid, session: by, order } = settled;
  const known = highest(state);
  doubt(state);
  remember(state, tid);
  const { copied } = state;
  if (copied !== undefined && now < copied.endedAt + COPYING_MS) {
    const isAlone = copied.again === undefined || (copied.again.isAlone && copied.again.by === by);
    state.copied = { ...copied, again: { by, isAlone, tid, order, known } };
    for (const account of state.accounts.values()) withdraw(account, tid);
    return;
  }
  endOthers(state, { by, isAlone: true, tid, order, known }, actions);
  state.copied = { endedAt: now, again: undefined };
}

/**
 * Was it copied? The server's own message of it would take a client back; and it can be what the server names as the last
 * transaction, until the next commit (FileStorage: the one that was written last).
 */
export function isCopied<P>({ copiedTids }: StorageState<P>, tid: Tid): boolean {
  return copiedTids.has(tid);
}

function remember<P>({ copiedTids }: StorageState<P>, tid: Tid): void {
  copiedTids.add(tid);
  if (copiedTids.size <= MOST_TIDS) return;
  for (const oldest of copiedTids) {
    copiedTids.delete(oldest);
    return;
  }
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

function endOthers<P>(state: StorageState<P>, { by, isAlone, tid, order, known }: Copied, actions: Action<P>[]): void {
  actions.push({ do: "copied-history", by, tid, known });
  for (const account of [...state.accounts.values()]) {
    // Who has registered since verifies with all of it in the database.
    if ((isAlone && account.number === by) || account.registered.order >= order) continue;
    endSession(state, account, "copied-history", tid, actions);
  }
}
