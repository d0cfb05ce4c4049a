import { BROKEN, world, type Named } from "./named.ts";

const THROWS = { throws: 1, kinds: "CM", polls: 1, ...BROKEN } as const;

/** A `tpc_finish` is answered with an exception, and the commit is in the database; and limbo that has an end. */
export const DOUBTED: readonly Named[] = [
  world("old, an exception for a commit", { ...THROWS, commits: 1 }),
  world("new, an exception for a commit", { server: "new", ...THROWS, commits: 1 }),
  world("old, an exception for a commit, and another one", { ...THROWS, polls: 0 }),
  world("new, an exception for a commit, and another one", { server: "new", ...THROWS, polls: 0 }),
  world("new newcomer, an exception for a commit", {
    server: "new",
    ...THROWS,
    cold: 1,
    connects: 1,
    writers: 1,
    commits: 1,
  }),
  world("old, broken, limbo ends", {
    cuts: 1,
    limboEnds: true,
    clients: 2,
    foreign: true,
    commits: 3,
    kinds: "CM",
    polls: 0,
    ...BROKEN,
  }),
];
