import type { Config } from "./config.ts";
import { BROKEN, world, type Named } from "./named.ts";
import { COPIED } from "./rewritten.ts";

/** A world that the ledger does not yet pass, and why. */
export interface Pending extends Named {
  readonly why: string;
}

function pending(name: string, why: string, options: Partial<Config>): Pending {
  return { ...world(name, options), why };
}

const LIMBO =
  "Limbo ends with a commit whose tpc_finish was forwarded when it had begun; one that was on its way already, and had the lock " +
  "behind it, could end it as well.";
const OUT_OF_ORDER =
  "Who is ended for a message out of order comes back with a cache at the server's last tid, asks nothing, and never hears of " +
  "its oids.";

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

const OWN_COPY =
  "The check at rest takes a client's own copied transaction, whose reply comes behind the invalidation of a later one, for one " +
  "that it has missed.";

/**
 * Worlds that are red until a rule of the ledger, or a check, changes: `npm run explore:pending` says which still are. One that is green
 * belongs into another list.
 */
export const PENDING: readonly Pending[] = [
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
  // A second passes: what a register reply that names the copied one does not cover is asked for.
  pending("new, copied, and a commit after it", OWN_COPY, {
    server: "new",
    ticks: true,
    ...COPIED,
    kinds: "M",
    commits: 3,
    polls: 0,
  }),
];
