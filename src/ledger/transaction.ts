import type { MessageId } from "../wire/codec.ts";
import { NO_TID, type Tid } from "../wire/ids.ts";
import {
  append,
  built,
  difference,
  newBuilder,
  NO_OIDS,
  oidSet,
  refusedAlways,
  union,
  type OidBuilder,
  type OidSet,
} from "./oid-set.ts";

/** One client's transaction, from `tpc_begin` to its finish or abort. */
export interface Transaction {
  readonly id: MessageId;
  /** The tid that `tpc_begin` named (history that is copied), else NO_TID. */
  readonly explicitTid: Tid;
  /** Stored with a serial of eight zeros, or None. */
  readonly created: OidBuilder;
  readonly modified: OidBuilder;
  readonly restored: OidBuilder;
  readonly deleted: OidBuilder;
  /** Oids whose store an old server refused (`serialnos`). */
  readonly refused: OidBuilder;
  /** A store with a serial other than eight zeros: an old server then sends a message of its own. */
  modifies: boolean;
  undoes: boolean;
  /** A failed vote cleared it on the server: the next `tpc_begin` with this id starts anew. */
  over: boolean;
}

export type StoreSort = "created" | "modified" | "restored" | "deleted";

export function newTransaction(id: MessageId, explicitTid: Tid = NO_TID): Transaction {
  return {
    id,
    explicitTid,
    created: newBuilder(),
    modified: newBuilder(),
    restored: newBuilder(),
    deleted: newBuilder(),
    refused: newBuilder(),
    modifies: false,
    undoes: false,
    over: false,
  };
}

export function addOid(transaction: Transaction, sort: StoreSort | "refused", from: Buffer, offset: number): void {
  append(builderOf(transaction, sort), from, offset);
}

/** By name each: a key that is not known beforehand costs more than all the rest of a store. */
function builderOf(transaction: Transaction, sort: StoreSort | "refused"): OidBuilder {
  switch (sort) {
    case "created":
      return transaction.created;
    case "modified":
      return transaction.modified;
    case "restored":
      return transaction.restored;
    case "deleted":
      return transaction.deleted;
    case "refused":
      return transaction.refused;
  }
}

/** What a commit changed, as far as its own client said. An oid stored twice can be created and modified. */
export interface Changes {
  readonly created: OidSet;
  readonly restored: OidSet;
  readonly deleted: OidSet;
  /** All of them, and the modified ones. */
  readonly oids: OidSet;
  readonly undoes: boolean;
  /** An old server sends no message of its own for it. */
  readonly silent: boolean;
}

export const NO_CHANGES: Changes = {
  created: NO_OIDS,
  restored: NO_OIDS,
  deleted: NO_OIDS,
  oids: NO_OIDS,
  undoes: false,
  silent: false,
};

export function changesOf(transaction: Transaction): Changes {
  let created = oidSet(built(transaction.created));
  let modified = oidSet(built(transaction.modified));
  const refused = built(transaction.refused);
  if (refused.length > 0) {
    const stores = Buffer.concat([built(transaction.created), built(transaction.modified)]);
    const never = refusedAlways(stores, refused);
    created = difference(created, never);
    modified = difference(modified, never);
  }
  const restored = oidSet(built(transaction.restored));
  const deleted = oidSet(built(transaction.deleted));
  return {
    created,
    restored,
    deleted,
    oids: union(union(union(created, modified), restored), deleted),
    undoes: transaction.undoes,
    silent: !transaction.modifies && !transaction.undoes,
  };
}

export function changesNothing(changes: Changes): boolean {
  return changes.oids.length === 0 && !changes.undoes;
}
