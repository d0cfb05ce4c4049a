import { NO_TID, type Tid } from "../wire/ids.ts";
import { doubt, highest, settledAt } from "./history.ts";
import { endSession, isFinishing } from "./leave.ts";
import { withdraw } from "./place.ts";
import type { Account, Action, Copied, Finishing, Settled, StorageState } from "./state.ts";

// A transaction copied into a filled database (`tpc_begin` named its tid) lies below what clients know already. They can't
// be told in order, and what they cached may be stale: they all verify. Not at once: FileStorage names what was copied as its
// last transaction until the next commit, and a client that stands above that refuses to come back. So it is that commit,
// once nothing more is copied, which sends them away instead of being told to them.

/** Nothing more is copied when nothing was for so long. */
export const COPYING_MS = 30_000;

/** Beyond these nothing is on its way any more. */
const MOST_TIDS = 10_000;

/** It has settled there. `now` in ms of the caller's clock. */
export function copiedHistory<P>(state: StorageState<P>, settled: Settled, now: number, actions: Action<P>[]): void {
  const { tid, session: by } = settled;
  if (state.copied === undefined) actions.push({ do: "copied-history", by, tid, known: highest(state) });
  // One that takes another's tid takes away what its own session was still to be told of that.
  const isAlone = isAloneWith(state.copied, by) && settledAt(state, tid) === undefined;
  toVerify(state, tid, { by, isAlone, at: now });
  for (const account of state.accounts.values()) withdraw(account, tid);
}

/** A transaction that has named its tid itself is in the database, or may be. */
export function namedItself<P>(state: StorageState<P>, tid: Tid): void {
  addNewest(state.namedTids, tid);
  state.lastNamed = { tid, commits: commitsHere(state) };
}

/** So many commits of clients here have settled. */
function commitsHere<P>({ settles, sight }: StorageState<P>): number {
  return settles - sight.foreign;
}

/**
 * May others lie above that tid although the server names it as its last transaction? FileStorage names what was committed
 * last, and who copies a transaction says where.
 */
export function mayLieBelow<P>(state: StorageState<P>, tid: Tid): boolean {
  return state.namedTids.has(tid) || isCopied(state, tid);
}

/** One that was to be copied is in limbo, or has failed: then others matter only if a message was taken for its own. */
export function copyFailed<P>(state: StorageState<P>, commit: Finishing, isInLimbo: boolean): void {
  const { grows, session: by, explicitTid } = commit;
  if (isInLimbo && explicitTid !== NO_TID) namedItself(state, explicitTid);
  if (grows || !(isInLimbo || commit.swallowed)) return;
  toVerify(state, explicitTid, { by, isAlone: false, at: state.copied?.at ?? Number.NEGATIVE_INFINITY });
}

/** A commit took a tid below what is known, which nobody had asked for: the server's clock has gone back. */
export function wentBack<P>(state: StorageState<P>, { tid, session }: Settled, actions: Action<P>[]): void {
  doubt(state);
  actions.push({ do: "copied-history", by: session, tid, known: highest(state) });
  for (const account of [...state.accounts.values()]) {
    if (account.number !== session) endSession(state, account, "copied-history", tid, actions);
  }
}

function isAloneWith(copied: Copied | undefined, by: number): boolean {
  return copied === undefined || (copied.isAlone && copied.by === by);
}

function toVerify<P>(state: StorageState<P>, tid: Tid, about: Pick<Copied, "by" | "isAlone" | "at">): void {
  doubt(state);
  const number = ++state.copies;
  state.copied = { ...about, number, since: state.lastFinish, isOver: false };
  maybeLast(state, tid);
}

/** It has settled, and its tid was named. A higher one may be there: the server may name this one all the same. */
export function maybeLast<P>(state: StorageState<P>, tid: Tid): void {
  if (tid > highest(state)) return;
  state.copiedBelow = highest(state);
  addNewest(state.copiedTids, tid);
}

function addNewest(tids: Set<Tid>, tid: Tid): void {
  tids.add(tid);
  if (tids.size <= MOST_TIDS) return;
  for (const oldest of tids) {
    tids.delete(oldest);
    return;
  }
}

/** Is it the tid of one that was copied, or that is on its way? */
export function isCopied<P>(state: StorageState<P>, tid: Tid): boolean {
  return wasCopied(state, tid) || copying(state, tid) !== undefined;
}

/** Is it the tid of one that was copied? */
export function wasCopied<P>({ copiedTids }: StorageState<P>, tid: Tid): boolean {
  return copiedTids.has(tid);
}

function copying<P>({ finishing }: StorageState<P>, tid: Tid): Finishing | undefined {
  return tid === NO_TID ? undefined : finishing.find(({ explicitTid }) => explicitTid === tid);
}

/** The server's own message of one that is copied would take a client back. Returns whether it is one. */
export function swallowsCopied<P>(state: StorageState<P>, tid: Tid): boolean {
  const commit = copying(state, tid);
  if (commit === undefined) return state.copiedTids.size > 0 && state.copiedTids.has(tid);
  if (!commit.grows) commit.swallowed = true;
  return !commit.grows;
}

/**
 * May the server name it as its last transaction, though a higher one was there? Until the next commit.
 * @param proven `StorageState.proven` when the call was forwarded
 */
export function mayBeLast<P>(state: StorageState<P>, tid: Tid, proven: Tid): boolean {
  if (copying(state, tid) !== undefined || (proven <= state.copiedBelow && state.copiedTids.has(tid))) return true;
  // What lies above it may have been found later only.
  return tid === state.lastNamed?.tid && commitsHere(state) === state.lastNamed.commits;
}

/** Whoever comes back verifies, wherever it stands: it may have been told of commits since something was copied. */
export function allVerify<P>({ copied }: StorageState<P>): boolean {
  return copied !== undefined;
}

/** Has it not verified since something was copied? */
export function isToVerify<P>({ copied }: StorageState<P>, { number, verified }: Account<P>): boolean {
  if (copied === undefined || verified >= copied.number) return false;
  return !(copied.isAlone && number === copied.by);
}

/**
 * A commit above what is known is in the database, and is to be told: those are sent away who have not verified since
 * something was copied. `commit`, where it is one of a client here: its session stands at it, and would ask nothing when it
 * comes back. It waits for another's, as does whoever is still to be told of its own.
 */
export function endCopying<P>(
  state: StorageState<P>,
  commit: Finishing | undefined,
  tid: Tid,
  now: number,
  actions: Action<P>[],
): void {
  const { copied } = state;
  if (copied === undefined) return;
  if (commit !== undefined && commit.number <= copied.since) {
    // It may have been there before.
    if (tid > state.copiedBelow) state.copiedBelow = tid;
    return;
  }
  if (isGoingOn(state, copied, now)) return;
  const all = [...state.accounts.values()].filter((account) => isToVerify(state, account));
  const ended = all.filter((account) => account.number !== commit?.session && !awaitsReply(state, account));
  if (copied.isOver && ended.length === 0 && all.length > 0) return;
  // They may have been told of others since, and must not go on from there.
  doubt(state);
  state.copied = ended.length < all.length ? { ...copied, isOver: true } : undefined;
  state.copyingEndedAt = now;
  for (const account of ended) endSession(state, account, "copied-history", tid, actions);
}

/** Its client would not learn whether it has committed. */
function awaitsReply<P>(state: StorageState<P>, { number, committed, outbox }: Account<P>): boolean {
  return isFinishing(state, number) || outbox.some(({ kind, tid }) => kind === "reply" && tid === committed);
}

/** The server may name one that was copied as its last transaction again. */
function isGoingOn<P>(state: StorageState<P>, { isOver, at, by }: Copied, now: number): boolean {
  if (state.finishing.some(({ grows }) => !grows)) return true;
  if (isOver) return false;
  // Who copies over one connection behind the other ends nobody each time.
  const isSoon = state.accounts.has(by) || now < state.copyingEndedAt + COPYING_MS;
  return isSoon && now < at + COPYING_MS;
}
