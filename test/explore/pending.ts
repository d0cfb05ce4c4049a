import type { Config } from "./config.ts";
import { BROKEN, world, type Named } from "./named.ts";
import { BACKUP, COPIED } from "./rewritten.ts";

/** A world that the ledger does not yet pass, and why. */
export interface Pending extends Named {
  readonly why: string;
}

function pending(name: string, why: string, options: Partial<Config>): Pending {
  return { ...world(name, options), why };
}

const THROWN = "A tpc_finish that is answered with an exception is taken for one that has committed nothing.";
const LIMBO = "Limbo has no end: its oids are told with all later tids that nobody explains.";
const OUT_OF_ORDER =
  "Who is ended for a message out of order comes back with a cache above that tid, and never hears of its oids.";
const FORGOTTEN =
  "A database that has changed makes the reach what the server names then, which is lower than what clients have seen: one " +
  "that comes back after a later commit is resumed above what it has missed.";

const THROWS = { throws: 1, kinds: "CM", polls: 1, ...BROKEN } as const;
const ENDS_LIMBO = { cuts: 1, limboEnds: true, clients: 3, foreign: true, commits: 3, kinds: "C", polls: 0 } as const;
const DELAYED = {
  delays: 1,
  clients: 3,
  foreign: true,
  writers: 1,
  kinds: "CM",
  loads: true,
  nones: true,
  ends: ["invalidation-out-of-order"],
} as const;

/**
 * Worlds that are red until a rule of the ledger changes: `npm run explore:pending` says which still are. One that is green
 * belongs into another list.
 */
export const PENDING: readonly Pending[] = [
  pending("old, an exception for a commit", THROWN, { ...THROWS, commits: 1 }),
  pending("new, an exception for a commit", THROWN, { server: "new", ...THROWS, commits: 1 }),
  pending("old, an exception for a commit, and another one", THROWN, { ...THROWS, polls: 0 }),
  pending("new, an exception for a commit, and another one", THROWN, { server: "new", ...THROWS, polls: 0 }),
  pending("new newcomer, an exception for a commit", THROWN, {
    server: "new",
    ...THROWS,
    cold: 1,
    connects: 1,
    writers: 1,
    commits: 1,
  }),
  pending("old, broken, limbo ends", LIMBO, { ...ENDS_LIMBO, clients: 2, kinds: "CM", ...BROKEN }),
  pending("new, broken, limbo ends", LIMBO, { server: "new", ...ENDS_LIMBO, ...BROKEN }),
  pending("new, broken, short history, limbo ends", LIMBO, {
    server: "new",
    ...ENDS_LIMBO,
    clients: 2,
    foreign: false,
    historyBytes: 0,
    nones: true,
    ...BROKEN,
  }),
  pending("old, told late", OUT_OF_ORDER, { ...DELAYED }),
  pending("new, told late", OUT_OF_ORDER, { server: "new", ...DELAYED }),
  pending("old, copied, and a commit after it", FORGOTTEN, { ...COPIED, kinds: "C", commits: 3, polls: 0 }),
  pending("new, copied, and a commit after it", FORGOTTEN, {
    server: "new",
    ...COPIED,
    kinds: "M",
    commits: 3,
    polls: 0,
  }),
  pending("old newcomer, a backup, and a commit after it", FORGOTTEN, {
    ...BACKUP,
    cold: 1,
    connects: 1,
    kinds: "C",
    writers: 1,
    polls: 0,
  }),
  pending("new newcomer, a backup, and a commit after it", FORGOTTEN, {
    server: "new",
    ...BACKUP,
    cold: 1,
    connects: 1,
    kinds: "C",
    writers: 1,
    polls: 0,
  }),
];
