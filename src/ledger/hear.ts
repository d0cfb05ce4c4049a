import type { InvalidationArgs } from "../wire/codec.ts";
import type { Tid } from "../wire/ids.ts";
import { endCopying, swallowsCopied } from "./copied.ts";
import { doubt, hear, highest, settledAt } from "./history.ts";
import { heardLate, isToldBeyond } from "./late.ts";
import { endSession } from "./leave.ts";
import { isBeyondTelling } from "./limbo.ts";
import { isSubset, oidSet, union } from "./oid-set.ts";
import { dueAt, needs } from "./owed.ts";
import { invalidationAt, place, waitNumber } from "./place.ts";
import { proveBelow } from "./prove.ts";
import { item, type Account, type Action, type StorageState } from "./state.ts";

// The server's own `invalidateTransaction`. It takes its place among what waits for this client, proves that those of
// lower tids will not come, and is swallowed where the client was told of it, or has committed it itself.

/** `payload` and `bytes`: the message as it was read; `now`: in ms of the caller's clock. */
export function heard<P>(
  state: StorageState<P>,
  account: Account<P>,
  args: InvalidationArgs,
  payload: P,
  bytes: number,
  now: number,
  actions: Action<P>[],
): void {
  const { tid } = args;
  const isNewest = tid > highest(state);
  if (tid > state.known) state.known = tid;
  const settled = settledAt(state, tid);
  // The history may have forgotten it already.
  const isOwn = settled === undefined ? tid === account.committed : settled.session === account.number;
  if (isOwn && state.rules.swallowOwn) {
    if (settled !== undefined) hear(state, settled, args);
    return;
  }
  if (settled === undefined) {
    if (swallowsCopied(state, tid)) return;
    if (isBeyondTelling(state, tid)) {
      doubt(state);
      endSession(state, account, "unknown-commit", tid, actions);
      return;
    }
    if (mayBeFinishing(state, tid)) hearBefore(state, args);
    else if (isNewest) endCopying(state, undefined, tid, now, actions);
    if (!state.accounts.has(account.number)) return;
  }
  const isDue = dueAt(account, tid) >= 0;
  if (repeats(state, account, args, isDue, actions)) return;
  if (settled !== undefined) hear(state, settled, args);
  if (proveBelow(state, account, tid, actions) === "ended") return;
  // Those of lower tids are due no more: it is the first.
  if (isDue) account.due.shift();
  // Settled or not: a commit that is finishing may have a lower tid, and this session may have been skipped by it.
  const after = waitNumber(state, tid);
  place(state, account, item("invalidation", payload, bytes, { tid, after, own: args }));
}

function mayBeFinishing<P>({ finishing }: StorageState<P>, tid: Tid): boolean {
  return finishing.some(({ base }) => base < tid);
}

/** Oids of a tid that may turn out to be a finishing commit's. */
function hearBefore<P>(state: StorageState<P>, args: InvalidationArgs): void {
  const before = state.heard.get(args.tid);
  if (before?.args === args) return;
  const own = oidSet(args.oids);
  state.heard.set(args.tid, { oids: before === undefined ? own : union(before.oids, own), args, own });
}

/** Was the session told of this tid already, or does it come too late? Swallowed if it names nothing new. */
function repeats<P>(
  state: StorageState<P>,
  account: Account<P>,
  args: InvalidationArgs,
  isDue: boolean,
  actions: Action<P>[],
): boolean {
  const { tid, oids } = args;
  const settled = settledAt(state, tid);
  const same = invalidationAt(account, tid);
  const toldSettled = settled !== undefined && !isDue && needs(state, account, settled);
  const isLate = isToldBeyond(account, tid);
  if (!isLate && same === undefined && !toldSettled) return false;
  if (!state.rules.swallow) return false;
  const nothingNew = settled !== undefined ? isSubset(oids, settled.oids) : same?.own?.oids.equals(oids) === true;
  const wasTold = toldSettled || same !== undefined;
  if (wasTold && nothingNew) return true;
  if (state.rules.tellLate) heardLate(state, account, args, actions);
  return true;
}
