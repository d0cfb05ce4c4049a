import type { InvalidationArgs } from "../wire/codec.ts";
import { NO_TID, type Tid } from "../wire/ids.ts";
import { copyFailed } from "./copied.ts";
import { MOST_TOLD_BYTES } from "./history.ts";
import { endAll, endFinishes, leave } from "./leave.ts";
import { difference, NO_OIDS, oidSet, type OidSet } from "./oid-set.ts";
import { wantLook } from "./read-up-to.ts";
import type { Account, Action, Announcement, Finishing, Limbo, StorageState } from "./state.ts";
import { changesNothing } from "./transaction.ts";

// A `tpc_finish` whose reply never comes, or is an exception, may have committed, at a tid that nobody here learns. No
// client may go on as if it had not: all others verify, and what nobody explains from then on is told with its oids, too.
// One too many does no harm. It ends with the next commit that was begun behind it: that one's tid lies above.

/**
 * The server's connection broke between a forwarded `tpc_finish` and its reply: the commit is over without a tid, and
 * perhaps in the database. Its oids are added to what nobody explains from now on, and everyone else verifies.
 *
 * `mayStillRead`: the server did not close the connection itself, so it can read the `tpc_finish` later and commit
 * after the others have verified. A vote that is granted then shows that it is over (see `lockMovedOn`).
 */
export function enterLimbo<P>(
  state: StorageState<P>,
  account: Account<P>,
  mayStillRead: boolean,
  actions: Action<P>[],
): void {
  let changed = false;
  for (const commit of endFinishes(state, account.number)) {
    if (!mayChange(state, commit)) continue;
    changed = true;
    add(state, commit, mayStillRead);
  }
  leave(state, account, actions);
  if (changed && endsOthers(state)) endAll(state, "unknown-commit", NO_TID, actions);
}

/**
 * The reply to the `tpc_finish` is an exception: a storage can fail behind its commit, and a fan-out server can lose its
 * own upstream, which still commits later.
 * @returns whether it may be committed: then everyone is to verify
 */
export function failedInDoubt<P>(state: StorageState<P>, commit: Finishing, isOrphan: boolean): boolean {
  if (!(commit.granted || isOrphan) || !mayChange(state, commit)) return false;
  add(state, commit, true);
  return true;
}

/** Must all others verify for a commit in limbo? Where the storage is read it will be found, if it is there. */
function endsOthers<P>({ rules, sight }: StorageState<P>): boolean {
  return rules.endOthersInLimbo && (sight.life === "off" || !rules.limboIsForeign);
}

/** The same behind an exception: a new server may tell nobody of that commit, and later ones wait for no look. */
export function failureEndsAll<P>(state: StorageState<P>): boolean {
  return endsOthers(state) || (state.server === "new" && state.rules.endOthersInLimbo);
}

function mayChange<P>(state: StorageState<P>, { changes }: Finishing): boolean {
  return state.server === "new" || !changesNothing(changes);
}

function add<P>(state: StorageState<P>, commit: Finishing, open: boolean): void {
  const { changes, base } = commit;
  copyFailed(state, commit, true);
  const number = ++state.doubts;
  state.limbo.push({ number, oids: changes.oids, base, open, since: state.lastFinish, top: undefined });
  state.explained = undefined;
  // It may be there already, and its server tells nobody.
  wantLook(state.sight);
}

/** A vote was granted: to a client that came later, so what the server could still have committed it has by now. */
export function lockMovedOn<P>(state: StorageState<P>, { doubts }: Account<P>, actions: Action<P>[]): void {
  const open = state.limbo.filter((limbo) => limbo.open && limbo.number <= doubts);
  if (open.length === 0) return;
  for (const limbo of open) {
    limbo.open = false;
    limbo.since = state.lastFinish;
  }
  if (state.sight.life === "off") endAll(state, "unknown-commit", NO_TID, actions);
}

/** A commit has settled. It had the lock behind those that were over when it was forwarded. */
export function boundLimbo<P>(state: StorageState<P>, { number }: Finishing, tid: Tid): void {
  for (const limbo of state.limbo) {
    if (limbo.open || limbo.top !== undefined || limbo.since >= number) continue;
    limbo.top = tid;
    state.explained = undefined;
  }
}

/** May a tid that nobody here explains be that of a commit in limbo, or of one behind it? */
function mayExplain(limbo: Limbo, tid: Tid): boolean {
  return limbo.top === undefined && limbo.base < tid;
}

/** Would it have to be told with oids in limbo that were too many to keep, to a client that may not have them? */
export function isBeyondTelling<P>(state: StorageState<P>, tid: Tid): boolean {
  if (state.limbo.length === 0 || state.sight.life !== "off") return false;
  return state.limbo.some((limbo) => limbo.open && limbo.oids === undefined && mayExplain(limbo, tid));
}

/** What the server's message of a tid becomes that nobody here committed; undefined: it passes as it is. */
export function explained<P>(state: StorageState<P>, args: InvalidationArgs): Announcement | undefined {
  if (state.limbo.length === 0 || !state.rules.addLimbo || state.sight.life !== "off") return undefined;
  if (state.explained?.args === args) return state.explained.announcement;
  const sets = state.limbo.map((limbo) => (mayExplain(limbo, args.tid) ? limbo.oids : undefined) ?? NO_OIDS);
  const missing = difference(oidSet(Buffer.concat(sets)), oidSet(args.oids));
  const announcement = missing.length === 0 ? undefined : { tid: args.tid, oids: Buffer.concat([args.oids, missing]) };
  state.explained = { args, announcement };
  return announcement;
}

/**
 * What a client that goes on from `from` to `to` may have missed of commits in limbo; undefined: nobody knows any more, or it
 * is too much.
 */
export function limboBetween<P>(state: StorageState<P>, from: Tid, to: Tid): OidSet | undefined {
  const sets: OidSet[] = [];
  let bytes = 0;
  for (const { oids, base, top } of state.limbo) {
    if (base >= to || (top !== undefined && from >= top)) continue;
    if (oids === undefined) return undefined;
    bytes += oids.length;
    if (bytes > MOST_TOLD_BYTES) return undefined;
    sets.push(oids);
  }
  return oidSet(Buffer.concat(sets));
}
