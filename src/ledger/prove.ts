import { NO_TID, type Tid } from "../wire/ids.ts";
import { closeAtOnce, endSession } from "./leave.ts";
import { placeAll, waitNumber } from "./place.ts";
import { dueUpTo, noLongerOwed } from "./owed.ts";
import { item, type Action, type Account, type Item, type StorageState } from "./state.ts";

// What is due is made up only when something on that very connection proves that the server's own message of it will
// not come. Lower tids go first, each before the evidence of it.

/** `ended`: what had to be told can't be told completely, and the session has been ended for it. */
export type Proof = "goes-on" | "ended";

/** Old servers: a message that shows `tid` for certain was read. */
export function proveUpTo<P>(state: StorageState<P>, account: Account<P>, tid: Tid, actions: Action<P>[]): Proof {
  return prove(state, account, dueUpTo(account, tid), actions);
}

/** A message of the server's with this tid was read: those of lower tids will not come. */
export function proveBelow<P>(state: StorageState<P>, account: Account<P>, tid: Tid, actions: Action<P>[]): Proof {
  return prove(state, account, dueUpTo(account, tid - 1n), actions);
}

/**
 * New servers: the reply to a request was read that had been forwarded when `order` commits had settled. The loop
 * queues an invalidation before it writes the committer's reply, so it would have come by now.
 *
 * Nearly: a loop that finds both connections readable at once can read the request behind the `tpc_finish`, and answer
 * it, before it comes to what it has queued (seen with ZEO 5.2.1 and 6.2 under load). What was made up is then said
 * again, and swallowed. But for an undo that nobody knows a session would be ended, so that, and what is above it, waits
 * for the reply to the question (`asked`), which is sent a second later.
 *
 * Old servers: the same of the question alone, where its reply shows nothing.
 */
export function proveAnswered<P>(
  state: StorageState<P>,
  account: Account<P>,
  order: number,
  asked: boolean,
  actions: Action<P>[],
): Proof {
  // What has a lower tid was queued before, whenever its own reply was read.
  const answered = account.due.findLast((due) => due.settled.order <= order);
  if (answered === undefined) return "goes-on";
  const unknown = asked ? undefined : account.due.find((due) => !due.settled.complete);
  if (unknown === undefined || unknown.settled.tid > answered.settled.tid) {
    return proveUpTo(state, account, answered.settled.tid, actions);
  }
  return proveBelow(state, account, unknown.settled.tid, actions);
}

/**
 * The connection has ended, so nothing more will come; but others' commits may be missing, too, that nobody here knows.
 * So only what a message that was read shows is made up, before that message. The rest is not told any more, nor
 * anything that may show it: the client learns it when it verifies.
 */
export function proveAtEnd<P>(state: StorageState<P>, account: Account<P>, actions: Action<P>[]): Proof {
  if (account.outbox.some((one) => one.kind === "grant") && proveAll(state, account, actions) === "ended")
    return "ended";
  const shown = account.outbox.reduce((highest, one) => (one.exact && one.tid > highest ? one.tid : highest), NO_TID);
  if (proveUpTo(state, account, shown, actions) === "ended") return "ended";
  const [lowest] = account.due;
  if (lowest === undefined) return "goes-on";
  const at = account.outbox.findIndex((one) => one.tid >= lowest.settled.tid);
  const untold = account.due.map((due) => due.settled);
  account.due = [];
  if (at >= 0) {
    // No invalidation is among them: it would have been taken for what shows its tid.
    for (const one of account.outbox.splice(at)) account.heldBytes -= one.bytes;
  }
  for (const settled of untold) noLongerOwed(settled, account.number, actions);
  return "goes-on";
}

/** Nothing more will come: a vote was granted on an old server. */
export function proveAll<P>(state: StorageState<P>, account: Account<P>, actions: Action<P>[]): Proof {
  return prove(state, account, account.due.length, actions);
}

/** `count`: so many of what is due, the lowest tids. */
function prove<P>(state: StorageState<P>, account: Account<P>, count: number, actions: Action<P>[]): Proof {
  if (count === 0) return "goes-on";
  const now = account.due.splice(0, count);
  let made: Item<P>[] = [];
  const placeMade = (): void => {
    placeAll(state, account, made);
    made = [];
  };
  for (const { settled } of now) {
    if (hasEnded(state, account)) {
      noLongerOwed(settled, account.number, actions);
    } else if (settled.complete || isToBeRead(state, account)) {
      const after = waitNumber(state, settled.tid);
      made.push(item<P>("invalidation", undefined, MADE_UP_BYTES, { tid: settled.tid, after, settled }));
    } else {
      placeMade();
      // Nobody knows what was undone. A client that has not asked for the last transaction yet will see by it that
      // something is missing; any other must verify.
      noLongerOwed(settled, account.number, actions);
      if (!account.seen || !state.rules.endSkippedUndo) continue;
      if (account.phase === "closing") closeAtOnce(state, account, actions);
      else endSession(state, account, "incomplete-undo", settled.tid, actions);
    }
  }
  if (hasEnded(state, account)) return "ended";
  placeMade();
  return "goes-on";
}

/** What was undone will be read from the storage: it is told when that is known. */
function isToBeRead<P>({ sight, rules }: StorageState<P>, { phase }: Account<P>): boolean {
  return sight.life !== "off" && rules.readUndo && phase !== "closing";
}

/** Is nothing told to its client any more? */
function hasEnded<P>(state: StorageState<P>, account: Account<P>): boolean {
  return account.phase === "orphaned" || !state.accounts.has(account.number);
}

/** A made-up invalidation counts as one reference; its oids are shared by all who get it. */
const MADE_UP_BYTES = 64;
