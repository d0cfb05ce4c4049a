import { ANY_TID, type Tid } from "../wire/ids.ts";
import { settledAt, settledBetween } from "./history.ts";
import { waitNumber } from "./place.ts";
import type { Sight } from "./sight.ts";
import type { Finishing, StorageState } from "./state.ts";

// Up to where all that is in the database is known. Two tids do not tell whether one lies between them. A look moves that on
// (`look.ts`); so do commits of clients here, where nothing can lie between.

/** One is to begin that has not begun yet. Returns its number. */
export function wantLook(sight: Sight): number {
  sight.wanted = sight.begun + 1;
  return sight.wanted;
}

/** Is all that is in the database up to it known? */
export function isAllKnown<P>({ sight }: StorageState<P>, tid: Tid): boolean {
  return sight.life === "off" || sight.readUpTo === undefined || tid <= sight.readUpTo;
}

/** Everything up to that tid is known. */
export function readTo<P>(state: StorageState<P>, tid: Tid): void {
  const { sight } = state;
  if (sight.readUpTo === undefined || sight.readUpTo < tid) sight.readUpTo = tid;
  advance(state);
}

/** Nothing is known but that the database ends there. */
export function startFrom(sight: Sight, last: Tid): void {
  sight.told = [];
  sight.toldAbove = last;
  sight.readUpTo = last;
  sight.back = undefined;
}

/** An old server's commit: its vote was granted, and what had been committed before that was seen. */
export function coversUpTo<P>(state: StorageState<P>, { isCovered }: Finishing, tid: Tid): void {
  const { sight } = state;
  if (!isCovered || sight.readUpTo === undefined || tid <= sight.readUpTo) return;
  // What an undo has changed is to be read.
  if (settledBetween(state, sight.readUpTo, tid).every(({ complete }) => complete)) readTo(state, tid);
}

/**
 * A new server's commit. Where the last transaction was one that was copied when the witness came, nobody knows above which tid
 * all was told: a look can name a real one by now.
 */
export function goesOnTo<P>(state: StorageState<P>): void {
  if (state.sight.toldAbove === ANY_TID) wantLook(state.sight);
  advance(state);
}

/** Was the witness told of something that nobody here explains, or will? */
export function isToldUnknown<P>(state: StorageState<P>): boolean {
  const [first] = state.sight.told;
  return first !== undefined && state.sight.look === undefined && waitNumber(state, first.tid) === 0;
}

/**
 * New servers announce every commit to every client in turn: where all that the witness was told of is known, nothing lies
 * between.
 */
export function advance<P>(state: StorageState<P>): void {
  const { sight } = state;
  for (let first = sight.told[0]; first !== undefined; first = sight.told[0]) {
    const { tid } = first;
    if (sight.readUpTo !== undefined && tid > sight.readUpTo) {
      if (settledAt(state, tid)?.complete !== true) return;
      if (state.server === "new" && sight.readUpTo >= sight.toldAbove) sight.readUpTo = tid;
    }
    sight.told.shift();
  }
}
