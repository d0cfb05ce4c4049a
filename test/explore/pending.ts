import type { Config } from "./config.ts";
import { BROKEN, world, type Named } from "./named.ts";

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
const ENDS_LIMBO = { cuts: 1, limboEnds: true, clients: 3, foreign: true, commits: 3, kinds: "C", polls: 0 } as const;

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
];
