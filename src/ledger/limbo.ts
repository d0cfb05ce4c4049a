import { NO_TID } from "../wire/ids.ts";
import { endOthers, leave } from "./leave.ts";
import { union } from "./oid-set.ts";
import { endFinish } from "./settle.ts";
import type { Account, Action, StorageState } from "./state.ts";
import { changesNothing } from "./transaction.ts";

// A `tpc_finish` whose reply never comes may have committed, at a tid that nobody here learns. No client may go on as if
// it had not: all others verify, and what nobody explains from then on is told with its oids, too. One too many does no
// harm.

/**
 * The server's connection broke between a forwarded `tpc_finish` and its reply: the commit is over without a tid, and
 * perhaps in the database. Its oids are added to what nobody explains from now on, and everyone else verifies.
 *
 * `mayStillRead`: the server did not close the connection itself, so it can read the `tpc_finish` later and commit
 * after the others have verified. A vote that is granted then shows that it is over (see `lockMovedOn`).
 */
export function enterLimbo<P>(
  state: StorageState<P>,
  account: Account<P>,
  mayStillRead: boolean,
  actions: Action<P>[],
): void {
  let changed = false;
  for (const commit of state.finishing.filter((other) => other.session === account.number)) {
    endFinish(state, commit.number);
    if (state.server === "old" && changesNothing(commit.changes)) continue;
    changed = true;
    const { limbo } = state;
    state.limbo = {
      oids: limbo === undefined ? commit.changes.oids : union(limbo.oids, commit.changes.oids),
      base: limbo !== undefined && limbo.base < commit.base ? limbo.base : commit.base,
      open: mayStillRead || (limbo?.open ?? false),
    };
  }
  leave(state, account, actions);
  if (changed && state.rules.endOthersInLimbo) endOthers(state, account.number, "unknown-commit", NO_TID, actions);
}

/** A vote was granted: what the server could still have read before, it has read by now. */
export function lockMovedOn<P>(state: StorageState<P>, actions: Action<P>[]): void {
  if (state.limbo?.open !== true) return;
  state.limbo.open = false;
  endOthers(state, undefined, "unknown-commit", NO_TID, actions);
}
