import { endCopying } from "./copied.ts";
import { hearSet, highest, remember } from "./history.ts";
import { tellLate } from "./late.ts";
import { NO_OIDS, oidSet } from "./oid-set.ts";
import { owe } from "./owe.ts";
import { forgetDetails, needs, nowOwed } from "./owed.ts";
import type { Found } from "./sight.ts";
import { FOREIGN, type Action, type Settled, type StorageState } from "./state.ts";

// A commit that did not pass through here, and was read from the storage: it settles like any other, but for its
// committer, who is nobody here.

/** It is in the database, and nobody here has made it. */
export function settleForeign<P>(state: StorageState<P>, found: Found, now: number, actions: Action<P>[]): void {
  const { tid } = found;
  const oids = oidSet(found.oids);
  const isNewest = tid > highest(state);
  const told = state.sight.told.find((args) => args.tid === tid);
  const settled: Settled = {
    tid,
    order: ++state.settles,
    session: FOREIGN,
    changes: { ...UNKNOWN, oids, silent: state.server === "old" && told === undefined },
    oids,
    complete: true,
    owed: undefined,
    completed: 0,
    synthesized: 0,
    added: undefined,
    lastOwn: undefined,
    madeUp: undefined,
  };
  state.sight.foreign++;
  state.foreignCount++;
  actions.push({ do: "foreign", by: FOREIGN, tid, isRead: true });
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
  const others = [...state.accounts.values()].filter(
    (account) => account.phase !== "orphaned" && needs(state, account, settled),
  );
  for (const { number } of others) nowOwed(settled, number);
  for (const account of others) {
    owe(state, account, settled, now, actions);
    if (account.late !== undefined) tellLate(state, account, actions);
  }
  if (settled.owed === undefined) forgetDetails(settled);
}

/** Which of its objects are new the storage does not say. */
const UNKNOWN = { created: NO_OIDS, restored: NO_OIDS, deleted: NO_OIDS, undoes: false };
