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
const ENDS_LIMBO = { cuts: 1, limboEnds: true, clients: 3, foreign: true, commits: 3, kinds: "C", polls: 0 } as const;

const OWN =
  "Whether a message comes too late for its client is told by that client's newest commit, and only once the reply to that has " +
  "gone out: while it is held, one below an earlier commit of its own, which it has been told, is told as it is.";
const COPIED_LAST =
  "Where a copied transaction is the last one, a look that names it is over, and says nothing of those above it: a vote that waits " +
  "for that look is taken to have waited for them, and its commit to show that there are none.";
const UNHELD = {
  ...COPIED,
  witness: true,
  foreign: true,
  holds: 1,
  kinds: "C",
  polls: 0,
  ends: [...COPIED.ends, "unread-commit", "database-changed", "invalidation-out-of-order"],
} as const;

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
  pending("new, a committer is told late, and its next commit waits", OWN, {
    server: "new",
    delays: 1,
    lates: true,
    nones: true,
    foreign: true,
    clients: 3,
    commits: 4,
    kinds: "M",
    polls: 0,
  }),
  pending("old, watched, copied, a vote is not held", COPIED_LAST, UNHELD),
  pending("old, watched, copied far below, a vote is not held", COPIED_LAST, {
    ...UNHELD,
    commits: 4,
    copiesFarBelow: true,
  }),
];
