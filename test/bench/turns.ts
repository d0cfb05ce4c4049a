import type { Way } from "./ways.ts";

/** One slice of every way, taken right after one another, so that all have had the same machine. */
export type Turn<S> = Partial<Readonly<Record<Way, S>>>;

/** Another way is the first in every turn. */
export function rotated<T>(all: readonly T[], turn: number): T[] {
  const first = turn % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

/** So many turns count at least, if there are as many. */
const LEAST = 3;

/**
 * The quieter half of the turns. Whatever else runs on the machine can only slow a slice down, and what it does to the
 * direct way in a turn tells how much of that there was: the relays' own slices have no say in which turns count.
 */
export function quietest<T>(turns: readonly T[], slowness: (turn: T) => number): T[] {
  const kept = Math.max(Math.ceil(turns.length / 2), Math.min(LEAST, turns.length));
  return turns.toSorted((a, b) => slowness(a) - slowness(b)).slice(0, kept);
}
