import { NO_TID, type Tid } from "../wire/ids.ts";
import { mayBeLast } from "./copied.ts";
import { doubt } from "./history.ts";
import { endAll } from "./leave.ts";
import { startFrom } from "./read-up-to.ts";
import type { Action, StorageState } from "./state.ts";

// The last transaction of one database never goes back. An answer below a tid that was certainly in it when the call was
// forwarded is another database's behind the same address, or an older backup's: nothing that is known holds any more.

/**
 * The server has named its last transaction to that session.
 * @param proven `StorageState.proven` when the call was forwarded
 * @returns whether it is another database: then the ledger is empty again and every session ended
 */
export function namesLast<P>(
  state: StorageState<P>,
  session: number,
  tid: Tid,
  proven: Tid,
  actions: Action<P>[],
): boolean {
  if (tid < proven && mayBeLast(state, tid, proven)) return false;
  if (tid < proven) {
    // Who has seen the other database must not go on in this one.
    doubt(state);
    actions.push({ do: "ledger-ended", by: session, tid, proven });
    endAll(state, "database-changed", tid, actions);
    state.known = tid;
    state.proven = tid;
    state.history = [];
    state.historyBytes = 0;
    state.heard.clear();
    state.limbo = [];
    state.explained = undefined;
    state.copied = undefined;
    state.copiedTids.clear();
    state.namedTids.clear();
    state.lastNamed = undefined;
    state.foreign = NO_TID;
    startSight(state, tid);
    return true;
  }
  state.reach ??= tid;
  if (tid > state.proven) state.proven = tid;
  return false;
}

/** What was seen is of the other one. A look that is on its way ends with its connection. */
function startSight<P>({ sight }: StorageState<P>, last: Tid): void {
  if (sight.readUpTo !== undefined) startFrom(sight, last);
  if (sight.look?.found === undefined) return;
  sight.over = sight.look.number;
  sight.look = undefined;
}
