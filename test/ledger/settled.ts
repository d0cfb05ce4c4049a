import { remember } from "../../src/ledger/history.ts";
import { oidSet } from "../../src/ledger/oid-set.ts";
import { newState, type Settled, type StorageState } from "../../src/ledger/state.ts";
import { changesOf, newTransaction } from "../../src/ledger/transaction.ts";
import { asTid, type Tid } from "../../src/wire/ids.ts";
import { packed } from "./script.ts";

/** A tid as a small number. */
export function tidOf(n: number): Tid {
  return asTid(BigInt(n));
}

/** A commit of session 1 at tid `n`, the `n`th one to settle; it changed these oids. Nobody is owed it. */
export function settled(n: number, oids: readonly number[] = [n], rest: Partial<Settled> = {}): Settled {
  const set = oidSet(packed(oids));
  return {
    tid: tidOf(n),
    order: n,
    session: 1,
    changes: { ...changesOf(newTransaction(1)), oids: set },
    oids: set,
    complete: true,
    owed: undefined,
    completed: 0,
    synthesized: 0,
    added: undefined,
    lastOwn: undefined,
    madeUp: undefined,
    ...rest,
  };
}

/** The state of a new server's storage in which these have settled. */
export function history(...commits: Settled[]): StorageState<string> {
  const state = newState<string>("new");
  for (const commit of commits) remember(state, commit);
  return state;
}
