import { difference, NO_OIDS, oidSet, type OidList, type OidSet } from "./oid-set.ts";
import type { StorageState } from "./state.ts";

// Clients that come back together, behind an outage, ask for the same, and the server tells them the same. What is large is
// worked out for the first of them, and kept for the others.

/** Less is worked out as quickly as it is looked up. */
const LEAST_BYTES = 16 * 1024;

/** A server's answer, and what it becomes. */
export interface Completed {
  /** What it lacks. */
  readonly missing: OidSet;
  /** The server's oids, and these. */
  readonly oids: OidList;
}

interface Last {
  readonly sets: readonly OidSet[];
  readonly union: OidSet;
  completed?: Completed & { readonly answer: OidList };
}

const lasts = new WeakMap<StorageState<never>, Last>();

/** All oids of the sets. Sets are never changed: equal ones are the same, nearly always. */
export function unionOf<P>(state: StorageState<P>, sets: readonly OidSet[]): OidSet {
  if (sets.length === 0) return NO_OIDS;
  const last = lasts.get(state as StorageState<never>);
  if (last?.sets.length === sets.length && sets.every((set, i) => set === last.sets[i])) return last.union;
  const union = oidSet(Buffer.concat(sets));
  if (union.length >= LEAST_BYTES) lasts.set(state as StorageState<never>, { sets, union });
  return union;
}

/** The server's answer with all of `ours`. */
export function completed<P>(state: StorageState<P>, ours: OidSet, answer: OidList): Completed {
  if (ours.length === 0) return { missing: NO_OIDS, oids: answer };
  const last = lasts.get(state as StorageState<never>);
  if (last?.union !== ours) return complete(ours, answer);
  if (last.completed?.answer.equals(answer) !== true) last.completed = { answer, ...complete(ours, answer) };
  return last.completed;
}

function complete(ours: OidSet, answer: OidList): Completed {
  const missing = difference(ours, oidSet(answer));
  return { missing, oids: missing.length === 0 ? answer : Buffer.concat([answer, missing]) };
}
