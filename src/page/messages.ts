import type { Snapshot, StorageView } from "./snapshot.ts";

// What the page is told: as server-sent events, `event:` is the name of the interface in small letters, and as the answers of its
// two look-ups. Times are milliseconds since 1970; ids have 16 hex digits.

/** The first event of each connection: what was told before is void. */
export interface Hello {
  /** The proxy's clock. */
  readonly nowMs: number;
  readonly startedMs: number;
  readonly version: string;
  /** So many transactions are kept. */
  readonly capacity: number;
}

/** Why it is said that a server names created objects, or does not. */
export interface Evidence {
  readonly tid: string;
  /** So many created objects it left out there. */
  readonly created: number;
}

/** How everything stands, at most once a second. */
export interface Overview extends Omit<Snapshot, "storages"> {
  readonly nowMs: number;
  readonly storages: readonly (StorageView & { readonly evidence: Evidence | null })[];
  /** Since the start: transactions that were repaired for anybody; and that would have been, were it not only observed. */
  readonly repaired: number;
  readonly wouldRepair: number;
  /** Those that look at the page now. */
  readonly readers: number;
}

/** Seconds, one behind the other without a gap; the newest is the last whole one. */
export interface Seconds {
  /** The first one's, in seconds since 1970. */
  readonly from: number;
  readonly commits: readonly number[];
  readonly repairs: readonly number[];
  /** Those that would have been repaired, for clients that are observed. */
  readonly observed: readonly number[];
  /** The longest that a message was held in that second, in ms. */
  readonly held: readonly number[];
}

/** A transaction, as its line shows it. */
export interface Row {
  /** They are numbered from 0 in the order in which they settled here. */
  readonly id: number;
  readonly tid: string;
  /** What the tid says. */
  readonly timeMs: number;
  readonly upstream: string;
  readonly storage: string;
  readonly source: "client" | "foreign";
  /** Who has committed it; null where it has left, or is nobody here. */
  readonly client: string | null;
  /** How many objects it has changed; null: that was not read. Of a foreign one the sorts are not known. */
  readonly objects: number | null;
  readonly created: number | null;
  readonly modified: number | null;
  readonly restored: number | null;
  readonly deleted: number | null;
  readonly repair: "none" | "completed" | "synthesized";
  /** Its clients are observed: nothing of the repair was done, or of what follows. */
  readonly isObserved: boolean;
  /** So many objects were added to what the server said, for so many clients. */
  readonly added: number;
  readonly clients: number;
  /** From the settling until the last of those it was repaired for was told, in ms; null without a repair. */
  readonly toldMs: number | null;
}

/** New and changed transactions, and when a connection begins those from before, newest first. */
export interface Rows {
  /** The ids from `first` to before `next` are kept. */
  readonly first: number;
  readonly next: number;
  readonly rows: readonly Row[];
}

export interface OidView {
  readonly oid: string;
  /** `changed`: nobody knows more. */
  readonly sort: "created" | "modified" | "restored" | "deleted" | "changed";
  /** No message of the server's named it to somebody. */
  readonly isAdded: boolean;
}

/** The answer of `/transaction.json`. */
export interface TransactionView extends Row {
  /** At most `MOST_OIDS` of its oids, the lowest ones. */
  readonly oids: readonly OidView[];
}

/** The answer of `/search.json`. */
export interface Found {
  readonly query: string;
  /** As 16 hex digits; null: it is neither an oid nor a tid. */
  readonly id: string | null;
  /** Those with that tid, or that have changed the object with that oid, newest first. */
  readonly rows: readonly Row[];
  /** There are more. */
  readonly isCut: boolean;
  /** Of so many not all oids are kept: it may be in those, too. */
  readonly uncertain: number;
}
