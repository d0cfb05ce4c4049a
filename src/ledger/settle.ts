import { asTid, NO_TID, type Tid } from "../wire/ids.ts";
import { copiedHistory, endCopying, maybeLast, namedItself, wentBack } from "./copied.ts";
import { complete, hearSet, highest, remember, settledAt } from "./history.ts";
import { standsAt } from "./late.ts";
import { boundLimbo } from "./limbo.ts";
import { oweToAll } from "./owe.ts";
import { forgetDetails } from "./owed.ts";
import { withdraw } from "./place.ts";
import { coversUpTo, goesOnTo } from "./read-up-to.ts";
import { newSettled, type Account, type Action, type Finishing, type StorageState } from "./state.ts";
import { changesNothing } from "./transaction.ts";

// A commit's way: it is finishing from the `tpc_finish` on, above a base that was known by then; the tid in the reply
// settles it, and from then on it is due to all who need it. A tid that does not grow can't be told to anybody in order.

/** A `tpc_finish` was forwarded: whatever the server has told so far, this commit's own tid lies above it. */
export function beginFinish<P>(
  state: StorageState<P>,
  session: number,
  commit: Pick<Finishing, "changes" | "explicitTid">,
): Finishing {
  const known = state.rules.baseFromInvalidations ? state.known : state.proven;
  const { explicitTid } = commit;
  // Decided now: when its reply is read, what is proven by then may be this commit itself.
  const grows = explicitTid === NO_TID || explicitTid > highest(state);
  const base = grows || explicitTid > known ? known : asTid(explicitTid - 1n);
  const account = state.accounts.get(session);
  const granted = account?.granted ?? false;
  const isCovered = granted && account?.isCovered === true;
  if (account !== undefined) account.granted = account.isCovered = false;
  const finishing: Finishing = {
    number: ++state.lastFinish,
    session,
    base,
    grows,
    granted,
    isCovered,
    swallowed: false,
    ...commit,
  };
  state.finishing.push(finishing);
  return finishing;
}

/** Tids that were kept because they could have been of a finishing commit are nobody's, once none is left below them. */
export function forgetHeard<P>({ heard, finishing }: StorageState<P>): void {
  for (const tid of heard.keys()) if (!finishing.some((commit) => commit.base < tid)) heard.delete(tid);
}

/**
 * Does the reply's tid say that this commit is in the database? An old server answers a transaction that changed
 * nothing with the previous tid, perhaps that of another commit (ZEO 4.3.1 over FileStorage).
 */
export function commits<P>(state: StorageState<P>, commit: Finishing, tid: Tid): boolean {
  if (state.server === "new") return true;
  return !changesNothing(commit.changes) && (tid > commit.base || tid === commit.explicitTid);
}

/** The commit is in the database at `tid`. */
export function settle<P>(
  state: StorageState<P>,
  commit: Finishing,
  tid: Tid,
  now: number,
  actions: Action<P>[],
): void {
  const { changes } = commit;
  const grows = commit.grows && tid > commit.base && !settledAt(state, tid);
  const settled = newSettled({
    tid,
    order: ++state.settles,
    session: commit.session,
    changes,
    oids: changes.oids,
    complete: !changes.undoes,
  });
  if (commit.explicitTid !== NO_TID) namedItself(state, tid);
  const heard = state.heard.get(tid);
  const missing = heard === undefined ? undefined : hearSet(state, settled, heard.oids);
  if (heard !== undefined) state.heard.delete(tid);
  const committer = state.accounts.get(commit.session);
  if (committer !== undefined) {
    committer.committed = tid;
    standsAt(committer, tid, changes.undoes ? undefined : changes.oids);
    swallowOwn(state, committer, tid);
  }
  if (!grows) {
    if (commit.explicitTid === NO_TID) wentBack(state, settled, actions);
    else copiedHistory(state, settled, now, actions);
    return;
  }
  if (commit.explicitTid === NO_TID) endCopying(state, commit, tid, now, actions);
  else maybeLast(state, tid);
  remember(state, settled);
  boundLimbo(state, commit, tid);
  if (tid > state.known) state.known = tid;
  if (tid > state.proven) state.proven = tid;
  if (state.server === "old") coversUpTo(state, commit, tid);
  else goesOnTo(state);
  oweToAll(state, settled, now, actions);
  // Nearly always: all were told the same, and will be.
  if (heard !== undefined && missing !== undefined && heard.own === heard.oids) complete(settled, heard.args, missing);
  if (settled.owed === undefined) forgetDetails(settled);
}

/** A server that invalidates towards the committer too (fan-out): its message waits behind its own commit. */
function swallowOwn<P>(state: StorageState<P>, account: Account<P>, tid: Tid): void {
  if (!state.rules.swallowOwn) return;
  withdraw(account, tid);
}
