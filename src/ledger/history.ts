import type { InvalidationArgs } from "../wire/codec.ts";
import { asTid, ID_BYTES, type Tid } from "../wire/ids.ts";
import { difference, oidSet, union, type OidList, type OidSet } from "./oid-set.ts";
import { unionOf } from "./resumed.ts";
import type { Announcement, Settled, StorageState } from "./state.ts";

// Settled commits, by tid: what completes the server's messages, and what a client missed that comes back. The complete
// set of one is what its client stored and what the server has named. Every tid above the reach is covered. When there
// are too many, the oldest go (`trim.ts`).

/** 500,000 oids, as they were committed: putting together more takes too long, and hardly a cache has as many objects. */
export const MOST_TOLD_BYTES = 500_000 * ID_BYTES;

/** Bytes that a settled commit is counted with, beside its oids. */
const SETTLED_BYTES = 400;

/** Index of the first settled commit with a tid above `tid`. */
function after<P>(state: StorageState<P>, tid: Tid): number {
  // Nearly always it is the newest, which is looked for by each session.
  const newest = state.history.at(-1);
  if (newest === undefined || newest.tid <= tid) return state.history.length;
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
  const at = after(state, tid) - 1;
  const found = at < 0 ? undefined : state.history[at];
  return found?.tid === tid ? found : undefined;
}

/** The complete set of the commit at that tid; undefined where it is not known. */
export function setAt<P>(state: StorageState<P>, tid: Tid): OidSet | undefined {
  const settled = settledAt(state, tid);
  return settled?.complete === true ? settled.oids : undefined;
}

/** Settled commits with `from` < tid <= `to`. */
export function settledBetween<P>(state: StorageState<P>, from: Tid, to: Tid): readonly Settled[] {
  return state.history.slice(after(state, from), after(state, to));
}

export function remember<P>(state: StorageState<P>, settled: Settled): void {
  state.history.splice(after(state, settled.tid), 0, settled);
  state.historyBytes += settledBytes(settled);
}

export function settledBytes({ oids }: Settled): number {
  return SETTLED_BYTES + oids.length;
}

/** The highest tid that anything has told of. */
export function highest<P>({ known, proven }: StorageState<P>): Tid {
  return known > proven ? known : proven;
}

/** Something up to what is known now could not be told in order: nobody goes on from there, all verify. */
export function doubt<P>(state: StorageState<P>): void {
  const known = highest(state);
  if (state.reach === undefined || state.reach <= known) state.reach = asTid(known + 1n);
  if (state.doubted <= known) state.doubted = asTid(known + 1n);
}

/** The server's own message of a settled commit: its oids belong to the complete set. */
export function hear<P>(state: StorageState<P>, settled: Settled, args: InvalidationArgs): void {
  completion(state, settled, args);
}

/**
 * The same for one that is perhaps not in the history yet: a message that was read before the commit settled.
 * @returns what it lacks
 */
export function hearSet<P>(state: StorageState<P>, settled: Settled, own: OidSet): OidSet {
  const all = union(settled.oids, own);
  if (all !== settled.oids) {
    settled.oids = all;
    settled.madeUp = undefined;
    settled.lastOwn = undefined;
  }
  settled.complete = true;
  const missing = difference(settled.oids, own);
  if (settled.added === undefined) {
    settled.added = missing;
    const { created } = settled.changes;
    // It names all that are created, or none.
    const one = created.subarray(0, ID_BYTES);
    if (one.length > 0) state.patched = difference(one, missing).length > 0 ? "yes" : "no";
  }
  return missing;
}

/** All that it has changed was read from the storage. */
export function readSet<P>(state: StorageState<P>, settled: Settled, oids: OidList): void {
  const before = settled.oids;
  settled.oids = union(before, oidSet(oids));
  settled.complete = true;
  if (settled.oids === before) return;
  state.historyBytes += settled.oids.length - before.length;
  settled.madeUp = undefined;
  settled.lastOwn = undefined;
}

/** What the server's own message becomes; undefined: it needs no repair. */
export function completion<P>(
  state: StorageState<P>,
  settled: Settled,
  args: InvalidationArgs,
): Announcement | undefined {
  if (settled.lastOwn?.args === args) return settled.lastOwn.announcement;
  const before = settled.oids.length;
  const missing = hearSet(state, settled, oidSet(args.oids));
  state.historyBytes += settled.oids.length - before;
  return complete(settled, args, missing);
}

/** Its message becomes that for all who get it. */
export function complete(settled: Settled, args: InvalidationArgs, missing: OidSet): Announcement | undefined {
  const announcement =
    missing.length === 0 ? undefined : { tid: settled.tid, oids: Buffer.concat([args.oids, missing]) };
  // Of a large commit it is large: it is not kept once everyone was told.
  if (settled.owed !== undefined) settled.lastOwn = { args, announcement };
  return announcement;
}

/** An invalidation without any message of the server's. */
export function madeUp(settled: Settled): Announcement {
  settled.madeUp ??= { tid: settled.tid, oids: settled.oids };
  return settled.madeUp;
}

/** The complete sets of all that settled in (from, to]; undefined where one is not known, or they are too many. */
export function oidsBetween<P>(state: StorageState<P>, from: Tid, to: Tid, toldUpTo: Tid): OidSet | undefined {
  const sets: OidSet[] = [];
  let bytes = 0;
  for (const settled of settledBetween(state, from, to)) {
    if (!settled.complete && settled.tid > toldUpTo) return undefined;
    bytes += settled.oids.length;
    if (bytes > MOST_TOLD_BYTES) return undefined;
    sets.push(settled.oids);
  }
  return unionOf(state, sets);
}
