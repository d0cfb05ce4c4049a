import type { InvalidationArgs } from "../wire/codec.ts";
import type { Tid } from "../wire/ids.ts";
import { difference, intersection, NO_OIDS, oidSet, union, type OidSet } from "./oid-set.ts";
import type { Announcement, Settled, StorageState } from "./state.ts";

// Settled commits, by tid: what completes the server's messages, and what a client missed that comes back. The complete
// set of one is what its client stored and what the server has named. Every tid above the reach is covered. When there
// are too many, the oldest go, but none that somebody is still to be told of.

/** Bytes that a settled commit is counted with, beside its oids. */
const SETTLED_BYTES = 400;

/** Index of the first settled commit with a tid above `tid`. */
function after<P>(state: StorageState<P>, tid: Tid): number {
  let low = 0;
  let high = state.history.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((state.history[middle] as Settled).tid <= tid) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function settledAt<P>(state: StorageState<P>, tid: Tid): Settled | undefined {
  const found = state.history[after(state, tid) - 1];
  return found?.tid === tid ? found : undefined;
}

/** Settled commits with `from` < tid <= `to`. */
export function settledBetween<P>(state: StorageState<P>, from: Tid, to: Tid): readonly Settled[] {
  return state.history.slice(after(state, from), after(state, to));
}

export function remember<P>(state: StorageState<P>, settled: Settled): void {
  state.history.splice(after(state, settled.tid), 0, settled);
  state.historyBytes += SETTLED_BYTES + settled.oids.length;
}

/** Forgets the oldest commits that nobody waits for, until at most `maxBytes` are used. */
export function trim<P>(state: StorageState<P>, maxBytes: number): void {
  let drop = 0;
  while (state.historyBytes > maxBytes) {
    const oldest = state.history[drop];
    if (oldest === undefined || oldest.owed !== undefined) break;
    state.historyBytes -= SETTLED_BYTES + oldest.oids.length;
    if (state.reach === undefined || state.reach < oldest.tid) state.reach = oldest.tid;
    drop++;
  }
  if (drop > 0) state.history.splice(0, drop);
}

/** The server's own message of a settled commit: its oids belong to the complete set. */
export function hear<P>(state: StorageState<P>, settled: Settled, args: InvalidationArgs): void {
  if (settled.lastOwn?.args === args) return;
  const own = oidSet(args.oids);
  hearSet(state, settled, own);
  const missing = difference(settled.oids, own);
  settled.lastOwn = {
    args,
    announcement: missing.length === 0 ? undefined : { tid: settled.tid, oids: Buffer.concat([args.oids, missing]) },
  };
}

/** The same for a message that was read before the commit settled. */
export function hearSet<P>(state: StorageState<P>, settled: Settled, own: OidSet): void {
  const all = union(settled.oids, own);
  if (all !== settled.oids) {
    state.historyBytes += all.length - settled.oids.length;
    settled.oids = all;
    settled.madeUp = undefined;
    settled.lastOwn = undefined;
  }
  settled.complete = true;
  if (settled.added === undefined) {
    const { created, oids } = settled.changes;
    settled.added = difference(oids, own);
    if (created.length > 0) state.patched = intersection(created, own).length > 0 ? "yes" : "no";
  }
}

/** What the server's own message becomes; undefined: it needs no repair. */
export function completion<P>(
  state: StorageState<P>,
  settled: Settled,
  args: InvalidationArgs,
): Announcement | undefined {
  hear(state, settled, args);
  return settled.lastOwn?.announcement;
}

/** An invalidation without any message of the server's. */
export function madeUp(settled: Settled): Announcement {
  settled.madeUp ??= { tid: settled.tid, oids: settled.oids };
  return settled.madeUp;
}

/** The complete sets of all that settled in (from, to]; undefined where one is not known. */
export function oidsBetween<P>(state: StorageState<P>, from: Tid, to: Tid, toldUpTo: Tid): OidSet | undefined {
  const sets: OidSet[] = [];
  for (const settled of settledBetween(state, from, to)) {
    if (!settled.complete && settled.tid > toldUpTo) return undefined;
    sets.push(settled.oids);
  }
  if (state.rules.addLimbo && state.limbo !== undefined && state.limbo.base < to) sets.push(state.limbo.oids);
  return sets.length === 0 ? NO_OIDS : oidSet(Buffer.concat(sets));
}
