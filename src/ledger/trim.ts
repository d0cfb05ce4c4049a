import type { Tid } from "../wire/ids.ts";
import { settledBytes } from "./history.ts";
import { endSession } from "./leave.ts";
import type { Action, Limbo, StorageState } from "./state.ts";

// The history has a bound. The oldest commits go first, and who comes back from before them verifies. A commit that
// somebody is still to be told of stays, until there is too much behind it: then that session is too far behind. Commits
// in limbo count too.

/** So much may be owed whatever the bound: a few small commits. */
const OWED_AT_LEAST_BYTES = 2000;

/** What a commit in limbo is counted with, beside its oids. */
const LIMBO_BYTES = 100;

/** Forgets until at most `maxBytes` are used, or what is left is owed. */
export function trim<P>(state: StorageState<P>, maxBytes: number, actions: Action<P>[]): void {
  const most = Math.max(0, maxBytes - limboBytes(state));
  let drop = 0;
  while (state.historyBytes > most) {
    const oldest = state.history[drop];
    if (oldest === undefined) break;
    const bytes = settledBytes(oldest);
    if (oldest.owed !== undefined) {
      if (state.historyBytes - bytes <= Math.max(most, OWED_AT_LEAST_BYTES)) break;
      for (const session of [...oldest.owed]) {
        const account = state.accounts.get(session);
        if (account !== undefined) endSession(state, account, "too-far-behind", oldest.tid, actions);
      }
      if (oldest.owed !== undefined) break;
    }
    state.historyBytes -= bytes;
    reachTo(state, oldest.tid);
    drop++;
  }
  if (drop > 0) state.history.splice(0, drop);
  if (state.limbo.length > 0) trimLimbo(state, maxBytes);
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
