import type { InvalidationArgs } from "../wire/codec.ts";
import type { Tid } from "../wire/ids.ts";
import { hear, setAt, settledAt } from "./history.ts";
import { endSession, isFinishing } from "./leave.ts";
import { difference, NO_OIDS, oidSet, union, type OidList } from "./oid-set.ts";
import type { Found } from "./sight.ts";
import type { Account, Action, StorageState } from "./state.ts";

// What the server tells a client behind a higher tid: its cache takes that no more, and if it is sent away it comes back
// from above it. But a cache takes an invalidation of the very tid that it stands at. So the oids are told under that one,
// once all that was read before has gone out.

/** Its client stands there, or higher, by what it was told of others, or by its own `tpc_finish`. `tid`: not its own. */
export function isToldBeyond<P>({ announced, ownTold }: Account<P>, tid: Tid): boolean {
  return tid <= announced || tid <= ownTold;
}

/** The server's message can't be told as it is. */
export function heardLate<P>(
  state: StorageState<P>,
  account: Account<P>,
  args: InvalidationArgs,
  actions: Action<P>[],
): void {
  const settled = settledAt(state, args.tid);
  if (settled !== undefined) hear(state, settled, args);
  tellBehind(state, account, { tid: args.tid, oids: settled?.oids ?? oidSet(args.oids) }, actions);
}

/** These oids of that tid are to be told to it under a later one. */
export function tellBehind<P>(
  state: StorageState<P>,
  account: Account<P>,
  { tid, oids }: Found,
  actions: Action<P>[],
): void {
  state.mayOwe = true;
  const { late } = account;
  const lowest = late !== undefined && late.tid < tid ? late.tid : tid;
  account.late = { tid: lowest, oids: union(late?.oids ?? NO_OIDS, oids), isTold: false };
  actions.push({ do: "told-late", by: account.number, tid });
}

/**
 * Tells what came late, if that may be now: never inside an old client's finish, or when that may be on its way; nor before
 * it is known where its cache stands. While a cache is verified a ZEO 5 client drops it, and a ZEO 4 one keeps it until then.
 * Which of them it is that an old server has is not known; so there it is told at once, and once more when the client is
 * seen to work.
 */
export function tellLate<P>(state: StorageState<P>, account: Account<P>, actions: Action<P>[]): void {
  const { late, isWorking, stands } = account;
  if (late === undefined || account.outbox.length > 0) return;
  if (!isWorking && (state.server === "new" || !account.seen || late.isTold)) return;
  if (state.server === "old" && (account.granted || isFinishing(state, account.number))) return;
  // Where it was answered with somebody else's tid, that one may have been found since.
  const own = stands.oids ?? setAt(state, stands.tid);
  if (own === undefined) {
    // `leave` sees to it that nobody goes on from there. Where its server has ended it is closed without that.
    if (account.phase !== "closing") endSession(state, account, "invalidation-out-of-order", stands.tid, actions);
    return;
  }
  account.late = isWorking ? undefined : { ...late, isTold: true };
  // A cache that has an object of that very transaction must not be told of it: its file would keep it as current.
  const oids = difference(late.oids, oidSet(own));
  if (oids.length === 0) return;
  const announcement = { tid: stands.tid, oids };
  actions.push({ do: "announce", session: account.number, repair: "late", announcement, payload: undefined });
}

/**
 * From what has been read its client goes on from that tid, unless it does from a higher one. `oids`: what changed then;
 * undefined: nobody knows.
 */
export function standsAt<P>(account: Account<P>, tid: Tid, oids: OidList | undefined): void {
  const { stands } = account;
  if (tid > stands.tid || (tid === stands.tid && stands.oids === undefined)) account.stands = { tid, oids };
}
