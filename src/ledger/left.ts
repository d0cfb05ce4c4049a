import { doubt } from "./history.ts";
import { tellBehind, tellLate } from "./late.ts";
import { union } from "./oid-set.ts";
import type { Tid } from "../wire/ids.ts";
import type { Found } from "./sight.ts";
import type { Account, Action, StorageState } from "./state.ts";

// An old server's client whose granted vote could be held no longer stands at its own commit while what others committed below
// that is not read yet. If it leaves before that is found, nobody can tell it any more; and where the server's last
// transaction is its own, it asks for nothing when it comes back. So it is of whoever was told of that commit, made up. (That it
// has left is noted in `leave.ts`.)

/** This was found. Who asks from below verifies, and who does not ask is told under the tid where it stands. */
export function foundBelow<P>(state: StorageState<P>, found: Found, actions: Action<P>[]): void {
  const { sight } = state;
  if (found.tid >= sight.leftAt) return;
  doubt(state);
  const { missed } = sight;
  sight.missed = missed === undefined ? found : { tid: missed.tid, oids: union(missed.oids, found.oids) };
  for (const account of state.accounts.values()) {
    if (account.answered !== sight.leftAt) continue;
    tellBehind(state, account, found, actions);
    tellLate(state, account, actions);
  }
}

/** It is told, when it comes, that this is the server's last transaction. */
export function comesTo<P>(state: StorageState<P>, account: Account<P>, last: Tid, actions: Action<P>[]): void {
  const { leftAt, missed } = state.sight;
  if (last !== leftAt || missed === undefined) return;
  tellBehind(state, account, missed, actions);
  tellLate(state, account, actions);
}
