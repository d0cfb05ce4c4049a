import type { InvalidationArgs } from "../wire/codec.ts";
import { asTid, NO_TID, type Tid } from "../wire/ids.ts";
import { completion, madeUp, settledAt } from "./history.ts";
import { standsAt, tellLate } from "./late.ts";
import { explained } from "./limbo.ts";
import { merge } from "./merge.ts";
import { closeAtOnce } from "./leave.ts";
import { noLongerOwed } from "./owed.ts";
import { waitsForPast } from "./past.ts";
import { waitsForSight } from "./unseen.ts";
import type { Account, Action, Announcement, Item, Repair, StorageState } from "./state.ts";

// What is first in the queue goes out once nothing that it shows is still to be told: no commit that may have its tid or
// a lower one is finishing, and nothing up to its tid is due. The server's invalidation gets the oids that it lacks only
// now, as more may have been heard of its commit meanwhile.

/** May the message not go out yet, when it is the first? */
function isHeld<P>(state: StorageState<P>, account: Account<P>, item: Item<P>): boolean {
  // A granted vote waits for commits and for a look at the same time; of what shows a tid these commits may tell enough.
  const isUnseen = item.kind === "grant" && waitsForSight(state, account, item);
  if (waitsForCommits(state, item) || isUnseen) return true;
  switch (item.kind) {
    case "plain":
    case "register":
      return false;
    case "invalidation":
      if (account.phase === "registering" && state.rules.registerFirst) return true;
      return waitsForSight(state, account, item);
    case "reply":
    case "invalidations":
      if (waitsForSight(state, account, item)) return true;
      if (state.rules.waitForDue && isDueUpTo(account, item.tid)) return true;
      // At last: once it is read back it is not kept for long.
      return item.kind === "invalidations" && waitsForPast(state, account, item);
    case "grant":
      return state.rules.waitForDue && state.rules.grantIsEvidence && account.due.length > 0;
  }
}

/** Does it wait for a `tpc_finish` of others that is on its way? */
export function waitsForCommits<P>(state: StorageState<P>, item: Item<P>): boolean {
  const oldest = state.finishing[0];
  return item.after !== 0 && oldest !== undefined && oldest.number <= item.after;
}

function isDueUpTo<P>(account: Account<P>, tid: Tid): boolean {
  const lowest = account.due[0];
  return lowest !== undefined && lowest.settled.tid <= tid;
}

/** Hands out what may go out, in order. */
export function pump<P>(state: StorageState<P>, account: Account<P>, actions: Action<P>[]): void {
  let gone = 0;
  for (const item of account.outbox) {
    if (isHeld(state, account, item)) break;
    gone++;
    account.heldBytes -= item.bytes;
    account.awaited = undefined;
    release(state, account, item, actions);
  }
  if (gone === 1 && account.outbox.length === 1) account.outbox.pop();
  else if (gone > 0) account.outbox.splice(0, gone);
  if (account.outbox.length === 0) account.top = NO_TID;
  tellLate(state, account, actions);
  if (account.phase !== "closing") return;
  // Where what is first may not be told completely, or not yet, it learns that when it comes back.
  const [first] = account.outbox;
  const waits = first !== undefined && (waitsForCommits(state, first) || !waitsForWitness(state, account, first));
  if (!waits) closeAtOnce(state, account, actions);
}

function waitsForWitness<P>(state: StorageState<P>, account: Account<P>, first: Item<P>): boolean {
  if (first.kind === "invalidations" && account.past === "wanted") return true;
  return waitsForSight(state, account, first);
}

export function pumpAll<P>(state: StorageState<P>, actions: Action<P>[]): void {
  for (const account of [...state.accounts.values()]) {
    if (account.outbox.length > 0 || account.phase === "closing") pump(state, account, actions);
  }
}

function release<P>(state: StorageState<P>, account: Account<P>, item: Item<P>, actions: Action<P>[]): void {
  const { payload } = item;
  switch (item.kind) {
    case "invalidation":
      releaseInvalidation(state, account, item, actions);
      return;
    case "invalidations":
      if (payload !== undefined) merge(state, account, item, payload, actions);
      account.past = "not-needed";
      return;
    case "plain":
    case "register":
    case "reply":
    case "grant":
      if (item.exact) show(account, item.tid);
      if (item.isFinish && item.tid > account.ownTold) account.ownTold = item.tid;
      if (payload !== undefined) actions.push({ do: "forward", session: account.number, payload });
  }
}

function show<P>(account: Account<P>, tid: Tid): void {
  if (tid > account.shown) account.shown = tid;
}

function releaseInvalidation<P>(
  state: StorageState<P>,
  account: Account<P>,
  item: Item<P>,
  actions: Action<P>[],
): void {
  const settled = item.settled ?? settledAt(state, item.tid);
  account.announced = item.tid;
  if (item.own === undefined) {
    if (settled === undefined) return;
    standsAt(account, item.tid, settled.oids);
    announce(account, "synthesized", madeUp(settled), undefined, actions);
    settled.synthesized++;
    noLongerOwed(settled, account.number, actions);
    return;
  }
  const announcement =
    settled === undefined
      ? foreign(state, account, item.tid, item.own, actions)
      : state.rules.complete
        ? completion(state, settled, item.own)
        : undefined;
  standsAt(account, item.tid, (announcement ?? item.own).oids);
  if (announcement === undefined) {
    if (item.payload !== undefined) actions.push({ do: "forward", session: account.number, payload: item.payload });
  } else {
    announce(account, "completed", announcement, item.payload, actions);
    if (settled !== undefined) settled.completed++;
  }
  if (settled !== undefined) noLongerOwed(settled, account.number, actions);
}

function announce<P>(
  account: Account<P>,
  repair: Repair,
  announcement: Announcement,
  payload: P | undefined,
  actions: Action<P>[],
): void {
  actions.push({ do: "announce", session: account.number, repair, announcement, payload });
}

/** A tid that nobody here committed: as the server tells it, and with the oids of commits whose fate is unknown. */
function foreign<P>(
  state: StorageState<P>,
  account: Account<P>,
  tid: Tid,
  own: InvalidationArgs,
  actions: Action<P>[],
): Announcement | undefined {
  if (tid > state.foreign) {
    state.foreign = asTid(tid);
    state.foreignCount++;
    actions.push({ do: "foreign", by: account.number, tid, isRead: false, oids: undefined });
  }
  return explained(state, own);
}
