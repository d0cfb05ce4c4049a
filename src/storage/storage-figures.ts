import { highest } from "../ledger/history.ts";
import type { LedgerFacts, StorageLedger } from "../ledger/ledger.ts";
import type { ServerFamily } from "../ledger/state.ts";
import type { Tid } from "../wire/ids.ts";

/** What a ledger holds at a time. */
export interface StorageFigures extends LedgerFacts {
  readonly family: ServerFamily;
  /** Commits whose `tpc_finish` is on its way. */
  readonly finishing: number;
  /** Messages that are held, for all clients. */
  readonly held: number;
  /** Past transactions, and the memory that they count with. */
  readonly transactions: number;
  readonly historyBytes: number;
  /** They cover every tid above this one; undefined before a first one was seen. */
  readonly reach: Tid | undefined;
  /** The highest tid that anything has told of, and up to where the witness has seen everything. */
  readonly highest: Tid;
  readonly readUpTo: Tid | undefined;
}

/** It looks at all sessions where messages are held for any. */
export function figuresOf(ledger: StorageLedger<unknown>): StorageFigures {
  const { state } = ledger;
  let held = 0;
  if (state.mayOwe) for (const { outbox } of state.accounts.values()) held += outbox.length;
  return {
    ...ledger.facts,
    family: ledger.family,
    finishing: state.finishing.length,
    held,
    transactions: state.history.length,
    historyBytes: state.historyBytes,
    reach: state.reach,
    highest: highest(state),
    readUpTo: state.sight.readUpTo,
  };
}
