import { isCopied } from "./copied.ts";
import { settledAt } from "./history.ts";
import { endSession } from "./leave.ts";
import { resumeTid } from "./past.ts";
import { isAllKnown, wantLook } from "./read-up-to.ts";
import type { Tid } from "../wire/ids.ts";
import type { Account, Action, Item, StorageState } from "./state.ts";

// What shows a tid that nobody here explains waits, as the first of its outbox, until a look has begun behind it and is over:
// then it is explained, or is not in the database. A server can tell of a commit a moment before it names it as its last
// transaction (ZODB/FileStorage: `tpc_finish` calls back before `_finish`): for what was read for certain it is looked again.
// Not for what a load shows: where history was copied that can lie above the last transaction for good.

/** Does it wait for a look, or for what is being read back? It is the first. */
export function waitsForSight<P>(state: StorageState<P>, account: Account<P>, item: Item<P>): boolean {
  const { sight } = state;
  if (sight.life === "off" || !state.rules.lookFirst) return false;
  if (account.phase === "closing") return !isSeen(state, account, item);
  if (isSeen(state, account, item)) return false;
  const { awaited } = account;
  if (awaited === undefined) {
    account.awaited = { look: wantLook(sight), since: undefined, isLate: false };
    return true;
  }
  if (sight.over < awaited.look) return !awaited.isLate;
  if (item.kind === "grant") account.isCovered = sight.sure >= awaited.look;
  if (item.kind === "grant" || !item.exact || item.isRead || awaited.isLate) return false;
  account.awaited = { ...awaited, look: sight.begun + 1 };
  sight.isWantedAgain = true;
  return true;
}

function isSeen<P>(state: StorageState<P>, account: Account<P>, item: Item<P>): boolean {
  switch (item.kind) {
    case "plain":
    case "register":
      return true;
    case "grant":
      return !state.rules.lookAfterGrant;
    case "invalidation":
      return item.own === undefined ? item.settled?.complete !== false : isExplained(state, item.tid);
    case "reply":
      // Its own commit, or none: what lies below, if anything, it can't be told before that.
      return item.isFinish || (item.isRead && item.tid <= seenBy(account)) || isExplained(state, item.tid);
    case "invalidations":
      return isAllKnown(state, resumeTid(state, account, item));
  }
}

/** The highest tid that its client was told of, or shown: an object of that tid, or a lower one, says nothing new. */
export function seenBy<P>({ announced, shown }: Account<P>): Tid {
  return announced > shown ? announced : shown;
}

/** New servers tell of each commit before they show a later one: it itself is enough. */
function isExplained<P>(state: StorageState<P>, tid: Tid): boolean {
  if (isAllKnown(state, tid) || isCopied(state, tid)) return true;
  return state.server === "new" && settledAt(state, tid) !== undefined;
}

/** How long anybody waits for the witness. */
export interface Patience {
  /** In ms, */
  readonly holdMs: number;
  /** from the time on when it last read something: has it, since the last tick? */
  readonly goesOn: boolean;
}

/**
 * Notes who waits, and gives up who has waited for `holdMs`: what can't be told completely is not told.
 * @returns whether somebody waits no more
 */
export function endUnseen<P>(
  state: StorageState<P>,
  now: number,
  { holdMs, goesOn }: Patience,
  actions: Action<P>[],
): boolean {
  let hasFreed = false;
  for (const account of [...state.accounts.values()]) {
    const { awaited, outbox } = account;
    const [first] = outbox;
    if (awaited === undefined || awaited.isLate || first === undefined) continue;
    // What is being read back has a bound of its own.
    if (account.past === "wanted" && state.sight.life === "up") continue;
    // Nobody commits as long as a granted vote is held.
    const isRead = goesOn && first.kind !== "grant";
    if (awaited.since === undefined || isRead) account.awaited = { ...awaited, since: now };
    else if (awaited.since + holdMs > now) continue;
    else if (first.exact && first.kind !== "grant" && first.kind !== "invalidations") {
      endSession(state, account, "unread-commit", first.tid, actions);
    } else {
      account.awaited = { ...awaited, isLate: true };
      account.past = account.past === "not-needed" ? account.past : "tried";
      hasFreed = true;
    }
  }
  return hasFreed;
}
