import { endCopying } from "./copied.ts";
import { hearSet, highest, remember } from "./history.ts";
import { foundBelow } from "./left.ts";
import { oidSet } from "./oid-set.ts";
import { oweToAll } from "./owe.ts";
import { forgetDetails } from "./owed.ts";
import type { Found } from "./sight.ts";
import { newSettled, NOBODY, type Action, type StorageState } from "./state.ts";
import { NO_CHANGES } from "./transaction.ts";

// A commit that did not pass through here, and was read from the storage: it settles like any other, but for its
// committer, who is nobody here.

/** It is in the database, and nobody here has made it. */
export function settleForeign<P>(state: StorageState<P>, found: Found, now: number, actions: Action<P>[]): void {
  const { tid } = found;
  const oids = oidSet(found.oids);
  const isNewest = tid > highest(state);
  const told = state.sight.told.find((args) => args.tid === tid);
  const settled = newSettled({
    tid,
    order: ++state.settles,
    session: NOBODY,
    // Which of its objects are new the storage does not say.
    changes: { ...NO_CHANGES, oids, silent: state.server === "old" && told === undefined },
    oids,
    complete: true,
  });
  state.sight.foreign++;
  state.foreignCount++;
  actions.push({ do: "foreign", by: NOBODY, tid, isRead: true, oids });
  const heard = state.heard.get(tid);
  if (heard !== undefined) {
    state.heard.delete(tid);
    hearSet(state, settled, heard.oids);
  } else if (told !== undefined) hearSet(state, settled, oidSet(told.oids));
  if (isNewest) endCopying(state, undefined, tid, now, actions);
  // An old server tells of one that changed nothing to nobody.
  if (oids.length === 0 && state.server === "old") return;
  remember(state, settled);
  if (tid > state.known) state.known = tid;
  if (tid > state.proven) state.proven = tid;
  foundBelow(state, found, actions);
  oweToAll(state, settled, now, actions);
  if (settled.owed === undefined) forgetDetails(settled);
}
