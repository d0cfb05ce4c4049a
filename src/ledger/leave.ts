import { NO_TID, type Tid } from "../wire/ids.ts";
import { doubt, settledAt } from "./history.ts";
import { noLongerOwed } from "./owed.ts";
import type { Account, Action, EndCode, Finishing, StorageState } from "./state.ts";

// How a session ends for the ledger: what it was owed it is owed no more, so that nobody waits until it is told. While a
// `tpc_finish` of its is on the way it stays as an orphan, whose connection is read until the commit has settled.

/** Is a `tpc_finish` of this session on its way? */
export function isFinishing<P>(state: StorageState<P>, session: number): boolean {
  return state.finishing.some((commit) => commit.session === session);
}

/** It is over, one way or the other. Returns it, or undefined when it was over before. */
export function endFinish<P>(state: StorageState<P>, number: number): Finishing | undefined {
  const at = state.finishing.findIndex((commit) => commit.number === number);
  if (at < 0) return undefined;
  const [commit] = state.finishing.splice(at, 1);
  return commit;
}

/** All of that session's are over. */
export function endFinishes<P>(state: StorageState<P>, session: number): Finishing[] {
  const own = state.finishing.filter((commit) => commit.session === session);
  if (own.length > 0) state.finishing = state.finishing.filter((commit) => commit.session !== session);
  return own;
}

/** The client is gone, or as good as gone: nothing more is told to it, and nobody waits until it is told. */
export function leave<P>(state: StorageState<P>, account: Account<P>, actions: Action<P>[]): void {
  const { due, outbox } = account;
  account.due = [];
  account.outbox = [];
  account.heldBytes = 0;
  account.top = NO_TID;
  account.transactions = [];
  account.awaited = undefined;
  // It may not have heard of it: it must not go on from where it stood. From below it is told of it when it comes back.
  if (account.late !== undefined && account.stands.tid >= account.late.tid) doubt(state);
  account.late = undefined;
  leavesAhead(state, account);
  if (isFinishing(state, account.number) && state.rules.readOrphans) account.phase = "orphaned";
  else state.accounts.delete(account.number);
  for (const { settled } of due) noLongerOwed(settled, account.number, actions);
  for (const item of outbox) {
    if (item.kind !== "invalidation") continue;
    const settled = item.settled ?? settledAt(state, item.tid);
    if (settled !== undefined) noLongerOwed(settled, account.number, actions);
  }
}

/** It stands at its own commit, or was told of another one's, and what lies below that is not read yet: see `left.ts`. */
function leavesAhead<P>({ server, sight }: StorageState<P>, { committed, ownTold, announced }: Account<P>): void {
  const { life, readUpTo } = sight;
  if (server === "new" || life === "off" || readUpTo === undefined) return;
  for (const at of [committed, ownTold, announced]) if (at > readUpTo && at > sight.leftAt) sight.leftAt = at;
}

/** The proxy's last resort: the client connects again and verifies its cache. */
export function endSession<P>(
  state: StorageState<P>,
  account: Account<P>,
  code: EndCode,
  tid: Tid,
  actions: Action<P>[],
): void {
  if (account.phase === "orphaned" || !state.accounts.has(account.number)) return;
  actions.push({ do: "end", session: account.number, code, tid });
  leave(state, account, actions);
}

/** The server has ended the connection: the client's ends with what has gone out, and without what can't be told. */
export function closeAtOnce<P>(state: StorageState<P>, account: Account<P>, actions: Action<P>[]): void {
  leave(state, account, actions);
  actions.push({ do: "close-client", session: account.number });
}

/** All that are left. */
export function endAll<P>(state: StorageState<P>, code: EndCode, tid: Tid, actions: Action<P>[]): void {
  for (const account of [...state.accounts.values()]) endSession(state, account, code, tid, actions);
}
