import type { InvalidationArgs } from "../wire/codec.ts";
import { NO_TID, type Tid } from "../wire/ids.ts";
import { allVerify } from "./copied.ts";
import { MOST_TOLD_BYTES, oidsBetween } from "./history.ts";
import { standsAt } from "./late.ts";
import { limboBetween } from "./limbo.ts";
import { NO_OIDS, union, type OidSet } from "./oid-set.ts";
import { dueUpTo, noLongerOwed } from "./owed.ts";
import { resumeTid } from "./past.ts";
import { takeMadeUp } from "./place.ts";
import { completed } from "./resumed.ts";
import { isAllKnown } from "./read-up-to.ts";
import type { Account, Action, Item, StorageState } from "./state.ts";

// A client that comes back goes on from the tid of this reply and is told of nothing up to it any more. So it names all
// that changed up to that tid, and the tid covers all that will not be announced on this connection. Where either is not
// known the answer is None: the client verifies all that it has.

/** A `getInvalidations` reply goes out: the server's answer with what the ledger knows, or None. */
export function merge<P>(
  state: StorageState<P>,
  account: Account<P>,
  item: Item<P>,
  payload: P,
  actions: Action<P>[],
): void {
  const { answer, asked } = item;
  const forward: Action<P> = { do: "forward", session: account.number, payload };
  const mayAnswer = state.sight.life === "up" && state.rules.answerNone;
  const upTo = resumeTid(state, account, item);
  const isReached = state.reach !== undefined && asked >= state.reach && !allVerify(state);
  const covered = (!state.rules.resumeWithinReach || isReached) && isAllKnown(state, upTo);
  // What came late may have been told while it verifies, and dropped.
  const may = covered && account.late === undefined && (answer !== undefined || mayAnswer);
  const ours = may ? missed(state, asked, upTo, answer) : undefined;
  if (ours === undefined) {
    account.verified = state.copies;
    if (answer === undefined) actions.push(forward);
    else
      actions.push({
        do: "resume",
        session: account.number,
        from: asked,
        reach: state.reach,
        value: undefined,
        payload,
      });
    return;
  }
  if (upTo > account.shown) account.shown = upTo;
  if (state.rules.mergeResume) nothingUpTo(account, item, upTo, actions);
  const { missing, oids } = completed(state, state.rules.mergeResume ? ours : NO_OIDS, answer?.oids ?? NO_OIDS);
  standsAt(account, upTo, oids);
  if (upTo === answer?.tid && missing.length === 0) {
    actions.push(forward);
    return;
  }
  actions.push({
    do: "resume",
    session: account.number,
    from: asked,
    reach: state.reach,
    value: { tid: upTo, oids },
    payload,
  });
}

/** What this answer tells it of is told to it no more. (It can be found while the answer is on its way.) */
function nothingUpTo<P>(account: Account<P>, answer: Item<P>, upTo: Tid, actions: Action<P>[]): void {
  for (const { settled } of account.due.splice(0, dueUpTo(account, upTo)))
    noLongerOwed(settled, account.number, actions);
  for (const { settled } of takeMadeUp(account, answer, upTo)) {
    if (settled !== undefined) noLongerOwed(settled, account.number, actions);
  }
}

/** What changed in (from, to], and what perhaps did; undefined: not all of it is known, or it is too much. */
function missed<P>(
  state: StorageState<P>,
  from: Tid,
  to: Tid,
  answer: InvalidationArgs | undefined,
): OidSet | undefined {
  const settled = oidsBetween(state, from, to, answer?.tid ?? NO_TID);
  const limbo = state.rules.addLimbo && state.sight.life === "off" ? limboBetween(state, from, to) : NO_OIDS;
  if (settled === undefined || limbo === undefined) return undefined;
  const all = union(settled, limbo);
  // To what the server says nothing is to be added? Then it passes as it is, however much it is.
  return all.length > 0 && all.length + (answer?.oids.length ?? 0) > MOST_TOLD_BYTES ? undefined : all;
}
