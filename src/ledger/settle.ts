import { asTid, NO_TID, type Tid } from "../wire/ids.ts";
import { hearSet, remember, settledAt } from "./history.ts";
import { endOthers, endSession } from "./leave.ts";
import { needs, nowOwed } from "./owed.ts";
import { provenInOutbox } from "./place.ts";
import { proveAll, proveAtEnd, proveUpTo } from "./prove.ts";
import { askIfSilent } from "./question.ts";
import type { Account, Action, Finishing, Settled, StorageState } from "./state.ts";
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
  const finishing: Finishing = { number: ++state.lastFinish, session, base, grows, ...commit };
  state.finishing.push(finishing);
  return finishing;
}

/** The highest tid that anything has told of. */
function highest<P>(state: StorageState<P>): Tid {
  return state.known > state.proven ? state.known : state.proven;
}

/** It is over, one way or the other. Returns it, or undefined when it was over before. */
export function endFinish<P>(state: StorageState<P>, number: number): Finishing | undefined {
  const at = state.finishing.findIndex((commit) => commit.number === number);
  if (at < 0) return undefined;
  const [commit] = state.finishing.splice(at, 1);
  return commit;
}

/** Tids that were kept because they could have been of a finishing commit are nobody's, once none is left. */
export function forgetHeard<P>(state: StorageState<P>): void {
  if (state.finishing.length === 0 && state.heard.size > 0) state.heard.clear();
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
  const settled: Settled = {
    tid,
    order: ++state.settles,
    session: commit.session,
    changes,
    oids: changes.oids,
    complete: !changes.undoes,
    owed: undefined,
    completed: 0,
    synthesized: 0,
    added: undefined,
    lastOwn: undefined,
    madeUp: undefined,
  };
  const heard = state.heard.get(tid);
  if (heard !== undefined) {
    hearSet(state, settled, heard);
    state.heard.delete(tid);
  }
  const committer = state.accounts.get(commit.session);
  if (committer !== undefined) {
    committer.committed = tid;
    swallowOwn(state, committer, tid);
  }
  if (!grows) {
    copiedHistory(state, settled, actions);
    return;
  }
  remember(state, settled);
  if (tid > state.known) state.known = tid;
  if (tid > state.proven) state.proven = tid;
  for (const account of [...state.accounts.values()]) {
    if (account !== committer && account.phase !== "orphaned") owe(state, account, settled, now, actions);
  }
}

/**
 * A transaction copied into a filled database (`tpc_begin` named its tid) lies below what clients know already.
 * They can't be told in order, and what they cached may be stale: they all verify, and nothing up to what is known
 * now is resumed from here.
 */
function copiedHistory<P>(state: StorageState<P>, settled: Settled, actions: Action<P>[]): void {
  const known = highest(state);
  actions.push({ do: "copied-history", by: settled.session, tid: settled.tid, known });
  if (state.reach === undefined || state.reach <= known) state.reach = asTid(known + 1n);
  endOthers(state, settled.session, "copied-history", settled.tid, actions);
}

/** A server that invalidates towards the committer too (fan-out): its message waits behind its own commit. */
function swallowOwn<P>(state: StorageState<P>, account: Account<P>, tid: Tid): void {
  if (!state.rules.swallowOwn) return;
  account.outbox = account.outbox.filter((item) => {
    const own = item.kind === "invalidation" && item.tid === tid;
    if (own) account.heldBytes -= item.bytes;
    return !own;
  });
}

function owe<P>(
  state: StorageState<P>,
  account: Account<P>,
  settled: Settled,
  now: number,
  actions: Action<P>[],
): void {
  if (!needs(state, account, settled)) return;
  const { tid } = settled;
  nowOwed(settled, account.number);
  if (account.outbox.some((item) => item.kind === "invalidation" && item.tid === tid)) return; // completed in place
  const at = account.due.findIndex((other) => other.settled.tid > tid);
  account.due.splice(at < 0 ? account.due.length : at, 0, { settled, since: now });
  if (tid <= account.announced) {
    endSession(state, account, "commit-out-of-order", tid, actions);
    return;
  }
  if (account.phase === "closing") proveAtEnd(state, account, actions);
  else if (provenInOutbox(state, account, tid)) proveUpTo(state, account, tid, actions);
  else if (!state.rules.proofFirst && settled.changes.silent) proveAll(state, account, actions);
  askIfSilent(state, account, actions);
}
