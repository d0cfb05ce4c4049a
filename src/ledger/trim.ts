import type { Tid } from "../wire/ids.ts";
import { settledBytes } from "./history.ts";
import { endSession } from "./leave.ts";
import { isAllKnown } from "./read-up-to.ts";
import type { Account, Action, Limbo, Settled, StorageState } from "./state.ts";

// The history has a bound. The oldest commits go first, and who comes back from before them verifies. A commit that
// somebody is still to be told of stays, until there is too much behind it: then that session is too far behind. Who is
// only slow in reading is not ended for that: what stays for it is beyond the bound, which counts like all that is kept for
// clients (`beyondBound`), and is given up when that becomes too much. Commits in limbo count too, and what was missed by who
// has left.

/** So much may be owed whatever the bound: a few small commits. */
const OWED_AT_LEAST_BYTES = 2000;

/** So many commits are moved in no time. */
const MANY = 1024;
const PORTIONS = 64;

/** What a commit in limbo is counted with, beside its oids. */
const LIMBO_BYTES = 100;

/**
 * Forgets until at most `maxBytes` are used, or a little less, or what is left is owed. `isPatient`: what those are owed stays whose servers'
 * connections are left unread.
 */
export function trim<P>(state: StorageState<P>, maxBytes: number, isPatient: boolean, actions: Action<P>[]): void {
  // Somebody is about to be told of it.
  if (state.sight.reading !== undefined || state.sight.back !== undefined) return;
  const most = boundOf(state, maxBytes);
  const until = state.historyBytes > most ? leftBy(state, most) : most;
  let drop = 0;
  for (const oldest of state.history) {
    if (state.historyBytes <= until) break;
    // By it a look is to see that it is no other's.
    if (!isAllKnown(state, oldest.tid)) break;
    const bytes = settledBytes(oldest);
    if (oldest.owed !== undefined) {
      if (state.historyBytes - bytes <= Math.max(most, OWED_AT_LEAST_BYTES)) break;
      endBehind(state, oldest, isPatient, actions);
      // Looked for no further: what is behind it counts with it.
      if (oldest.owed !== undefined) break;
    }
    state.historyBytes -= bytes;
    reachTo(state, oldest.tid);
    drop++;
  }
  if (drop > 0) state.history.splice(0, drop);
  if (state.limbo.length > 0) trimLimbo(state, maxBytes);
}

/**
 * So much is left when something is forgotten. Of many commits a portion goes at once: to take the first one from a long list
 * moves all the others, and would be done for each commit.
 */
function leftBy<P>({ history }: StorageState<P>, most: number): number {
  return history.length > MANY ? most - most / PORTIONS : most;
}

/** So many bytes stay for those who are slow, beyond `maxBytes`. */
export function beyondBound<P>(state: StorageState<P>, maxBytes: number): number {
  const [oldest] = state.history;
  return oldest?.owed === undefined ? 0 : Math.max(0, state.historyBytes - boundOf(state, maxBytes));
}

function boundOf<P>(state: StorageState<P>, maxBytes: number): number {
  const missedBytes = state.sight.missed?.oids.length ?? 0;
  return Math.max(0, maxBytes - limboBytes(state) - missedBytes);
}

/** Ends who is owed it, unless for being slow. */
function endBehind<P>(state: StorageState<P>, settled: Settled, isPatient: boolean, actions: Action<P>[]): void {
  for (const session of [...(settled.owed ?? [])]) {
    const account = state.accounts.get(session);
    if (account === undefined || (isPatient && waitsForReader(account, settled))) continue;
    endSession(state, account, "too-far-behind", settled.tid, actions);
  }
}

/** Would it have been told, had its server's connection been read? */
function waitsForReader<P>({ isUnread, unreadUpTo }: Account<P>, { order }: Settled): boolean {
  return isUnread || order <= unreadUpTo;
}

function reachTo<P>(state: StorageState<P>, tid: Tid): void {
  if (state.reach === undefined || state.reach < tid) state.reach = tid;
}

function limboBytes<P>(state: StorageState<P>): number {
  return state.limbo.reduce((sum, { oids }) => sum + LIMBO_BYTES + (oids?.length ?? 0), 0);
}

function trimLimbo<P>(state: StorageState<P>, maxBytes: number): void {
  const given: Limbo[] = [];
  while (limboBytes(state) > maxBytes) {
    // One that is bounded goes like a settled commit; the oids of another can be given up.
    const [oldest] = state.limbo.splice(0, 1);
    if (oldest === undefined) break;
    if (oldest.top === undefined) given.push({ ...oldest, oids: undefined });
    else reachTo(state, oldest.top);
  }
  if (given.length > 0) {
    state.limbo.unshift(together(given));
    state.explained = undefined;
  }
  const { reach } = state;
  if (reach !== undefined) state.limbo = state.limbo.filter(({ top }) => top === undefined || top > reach);
}

/** One that stands for all of these. */
function together(given: readonly Limbo[]): Limbo {
  return given.reduce((one, other) => ({
    number: Math.max(one.number, other.number),
    oids: undefined,
    base: other.base < one.base ? other.base : one.base,
    open: one.open || other.open,
    since: Math.max(one.since, other.since),
    top: undefined,
  }));
}
