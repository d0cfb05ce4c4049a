import type { InvalidationArgs } from "../wire/codec.ts";
import { NO_TID, type Tid } from "../wire/ids.ts";
import { allVerify } from "./copied.ts";
import { MOST_TOLD_BYTES, oidsBetween } from "./history.ts";
import { standsAt } from "./late.ts";
import { limboBetween } from "./limbo.ts";
import { NO_OIDS, union, type OidSet } from "./oid-set.ts";
import { completed } from "./resumed.ts";
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
  if (answer === undefined) {
    account.verified = state.copies;
    actions.push(forward);
    return;
  }
  const upTo = resumeTid(state, account, answer.tid, asked);
  const isReached = state.reach !== undefined && asked >= state.reach && !allVerify(state);
  const covered = !state.rules.resumeWithinReach || isReached;
  // What came late may have been told while it verifies, and dropped.
  const ours = covered && account.late === undefined ? missed(state, asked, upTo, answer) : undefined;
  if (ours === undefined) {
    account.verified = state.copies;
    actions.push({ do: "resume", session: account.number, from: asked, reach: state.reach, value: undefined, payload });
    return;
  }
  if (upTo > account.shown) account.shown = upTo;
  const { missing, oids } = completed(state, state.rules.mergeResume ? ours : NO_OIDS, answer.oids);
  standsAt(account, upTo, oids);
  if (upTo === answer.tid && missing.length === 0) {
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

/** What changed in (from, to], and what perhaps did; undefined: not all of it is known, or it is too much. */
function missed<P>(state: StorageState<P>, from: Tid, to: Tid, answer: InvalidationArgs): OidSet | undefined {
  const settled = oidsBetween(state, from, to, answer.tid);
  const limbo = state.rules.addLimbo ? limboBetween(state, from, to) : NO_OIDS;
  if (settled === undefined || limbo === undefined) return undefined;
  const all = union(settled, limbo);
  // To what the server says nothing is to be added? Then it passes as it is, however much it is.
  return all.length > 0 && all.length + answer.oids.length > MOST_TOLD_BYTES ? undefined : all;
}

/** Not below the server's tid, the one asked for, the session's floor, or what this connection has told already. */
function resumeTid<P>(state: StorageState<P>, account: Account<P>, server: Tid, asked: Tid): Tid {
  const { rules } = state;
  return [
    asked,
    rules.resumeFromFloor ? account.floor : NO_TID,
    rules.resumeFromAnnounced ? account.announced : NO_TID,
    rules.resumeFromShown ? account.shown : NO_TID,
  ].reduce((highest, tid) => (tid > highest ? tid : highest), server);
}
