import type { Tid } from "../wire/ids.ts";
import type { Value } from "../wire/value.ts";

/** What a client says of its transaction at `tpc_begin`. */
export interface TransactionInfo {
  readonly user: Buffer;
  readonly description: Buffer;
  /** The client's extension dictionary as it came; never interpreted. */
  readonly extension: Value;
  readonly status: string;
}

/** A committed transaction. */
export interface TransactionRecord extends TransactionInfo {
  readonly tid: Tid;
  /** In the order of the commit; `dataTxn` is set where data was copied from an earlier transaction (undo). */
  readonly records: readonly { readonly oid: Buffer; readonly data: Buffer | null; readonly dataTxn: Tid | null }[];
}
