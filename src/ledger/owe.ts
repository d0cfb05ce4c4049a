import { isToldBeyond, tellBehind } from "./late.ts";
import { endSession, isFinishing } from "./leave.ts";
import { dueUpTo, needs, noLongerOwed, nowOwed } from "./owed.ts";
import { awaitsOwn, invalidationAt, provenInOutbox } from "./place.ts";
import { proveAll, proveAtEnd, proveUpTo } from "./prove.ts";
import { askIfSilent } from "./question.ts";
import type { Tid } from "../wire/ids.ts";
import { NOBODY, type Account, type Action, type Settled, type StorageState } from "./state.ts";

// A commit has settled that a session is to hear of.

/** It is due to all who need it, from now on. */
export function oweToAll<P>(state: StorageState<P>, settled: Settled, now: number, actions: Action<P>[]): void {
  const others = [...state.accounts.values()].filter(
    (account) => account.phase !== "orphaned" && needs(state, account, settled),
  );
  // All of them first: who is owed it no more at once must not be the last one.
  for (const { number } of others) nowOwed(settled, number);
  for (const account of others) owe(state, account, settled, now, actions);
}

function owe<P>(
  state: StorageState<P>,
  account: Account<P>,
  settled: Settled,
  now: number,
  actions: Action<P>[],
): void {
  const { tid } = settled;
  if (invalidationAt(account, tid) !== undefined) return; // completed in place
  state.mayOwe = true;
  if (settled.session === NOBODY && isTooLate(state, account, tid)) {
    noLongerOwed(settled, account.number, actions);
    // When all is known that was found with it.
    tellBehind(state, account, settled, actions);
    return;
  }
  account.due.splice(dueUpTo(account, tid), 0, { settled, since: now });
  if (tid <= account.announced) {
    endSession(state, account, "commit-out-of-order", tid, actions);
    return;
  }
  if (account.phase === "closing") proveAtEnd(state, account, actions);
  else if (provenInOutbox(state, account, tid)) proveUpTo(state, account, tid, actions);
  else if (!state.rules.proofFirst && settled.changes.silent) proveAll(state, account, actions);
  // Of any other that is due and silent it has asked already, or will when it may.
  if (settled.changes.silent) askIfSilent(state, account, actions);
}

/**
 * Can what was found of others not be told in order any more? Only where a look was not waited for: behind a vote of an old
 * server that could not be held any longer.
 */
function isTooLate<P>(state: StorageState<P>, account: Account<P>, tid: Tid): boolean {
  if (isToldBeyond(account, tid)) return true;
  if (state.server === "new") return false;
  const isVoted = account.granted && !account.outbox.some(({ kind }) => kind === "grant");
  return isVoted || awaitsOwn(account, tid) || isFinishing(state, account.number);
}
