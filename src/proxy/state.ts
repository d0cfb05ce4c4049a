import type { StorageLedger } from "../ledger/ledger.ts";
import type { SessionFacts } from "../session/session.ts";
import { tidHex } from "../wire/ids.ts";
import type { ProxyStats, StorageStats } from "./api.ts";

/** What is going on in a storage now, beside what has been counted. Bytes are those of memory that is kept. */
export interface StorageNow extends StorageStats {
  /** Sessions that are registered in it. */
  readonly sessions: number;
  /** Commits whose `tpc_finish` is on its way. */
  readonly finishing: number;
  /** Commits of which nobody knows whether they are in the database. */
  readonly inDoubt: number;
  /** Messages that wait for commits, and their bytes. */
  readonly held: number;
  readonly heldBytes: number;
  /** Past transactions that are known, and their bytes; `reach`: the tid above which all are, if that is known. */
  readonly history: number;
  readonly historyBytes: number;
  readonly reach: string | undefined;
}

export interface ClientNow extends SessionFacts {
  readonly upstream: string;
  /** `address:port` */
  readonly client: string;
}

/** What a proxy knows and does at a moment. */
export interface ProxyState extends Omit<ProxyStats, "storages"> {
  readonly storages: readonly StorageNow[];
  /** Those for whom most is kept, by that. */
  readonly clients: readonly ClientNow[];
  /** So many there are in all, and so many there may be: `limits.clients`. */
  readonly clientsNow: number;
  readonly clientsLimit: number;
  /** Bytes that are kept of messages on their way, and may be: `limits.memory`. */
  readonly keptBytes: number;
  readonly keptBytesLimit: number;
}

/** What a ledger has at the moment. */
export function ledgerNow({ state }: StorageLedger<unknown>): Omit<StorageNow, keyof StorageStats> {
  let held = 0;
  let heldBytes = 0;
  for (const { outbox, heldBytes: bytes } of state.accounts.values()) {
    held += outbox.length;
    heldBytes += bytes;
  }
  return {
    sessions: state.accounts.size,
    finishing: state.finishing.length,
    inDoubt: state.limbo.length,
    held,
    heldBytes,
    history: state.history.length,
    historyBytes: state.historyBytes,
    reach: state.reach === undefined ? undefined : tidHex(state.reach),
  };
}
