// How everything stands at a moment, for people. All of it is plain data: as it is here it goes to the page.

export interface UpstreamView {
  readonly name: string;
  /** Bound address, also while not listening; null before the first start. */
  readonly listen: string | null;
  readonly server: string;
  /** Those of the server that sessions are registered at. */
  readonly addresses: readonly string[];
  /** `observe`: its clients are told what the server tells; and so many are observed now. */
  readonly repair: "on" | "observe";
  readonly observed: number;
  readonly state: "starting" | "listening" | "down" | "full" | "trouble" | "blocked" | "stopped";
  /** Sessions open now, and since the start. */
  readonly clients: number;
  readonly accepted: number;
  /** How many clients speak which protocol. */
  readonly protocols: Readonly<Record<string, number>>;
  /** Sessions that were relayed byte for byte, by reason. */
  readonly unrepaired: Readonly<Record<string, number>>;
}

export interface StorageView {
  readonly server: string;
  readonly storage: string;
  /** Old: ZODB3 and ZEO <= 4. */
  readonly family: "old" | "new";
  /** It is what clients that are observed show. */
  readonly isObserved: boolean;
  readonly commits: number;
  readonly foreign: number;
  readonly read: number;
  readonly witness: "off" | "away" | "up";
  readonly setbacks: number;
  readonly patched: "yes" | "no" | "unknown";
  /** 16 hex digits each; reach: everything above it is known, null where nothing is. */
  readonly known: string;
  readonly reach: string | null;
  /** Commits whose `tpc_finish` is on its way now. */
  readonly finishing: number;
  /** Past transactions that are kept for those who come back. */
  readonly historyTransactions: number;
  readonly historyBytes: number;
}

export interface ClientView {
  readonly upstream: string;
  /** `address:port` */
  readonly client: string;
  /** What its session is: see docs/architecture.md, *Lives*. */
  readonly life: string;
  /** Its bytes are relayed as they come, and it is told what would be repaired. */
  readonly isObserved: boolean;
  readonly protocol: string | null;
  readonly storage: string | null;
  readonly ageMs: number;
  /** Bytes that were read. */
  readonly fromClient: number;
  readonly fromServer: number;
  /** Bytes that wait for it: held messages, and what it has not taken. */
  readonly waiting: number;
  /** Its calls that wait for their replies. */
  readonly openCalls: number;
  readonly isFinishing: boolean;
}

export interface Snapshot {
  readonly upstreams: readonly UpstreamView[];
  readonly storages: readonly StorageView[];
  /** At most `MOST_CLIENTS`: those for whom something waits first, then the oldest. */
  readonly clients: readonly ClientView[];
  /** So many more there are. */
  readonly moreClients: number;
  /** Announcements written to clients, and `getInvalidations` repaired and answered None by the proxy. */
  readonly completed: number;
  readonly synthesized: number;
  readonly late: number;
  readonly resumed: number;
  readonly tooOld: number;
  /** Sessions ended by the proxy, by code. */
  readonly ended: Readonly<Record<string, number>>;
  /** Of clients that are observed: what would have been done. */
  readonly observed: { readonly resumed: number; readonly tooOld: number; readonly ended: number };
  /** Must be 0. */
  readonly guard: number;
}

export const MOST_CLIENTS = 200;
