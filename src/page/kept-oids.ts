import { difference, intersection, NO_OIDS, oidCount, type OidSet } from "../ledger/oid-set.ts";
import type { Changes } from "../ledger/transaction.ts";
import { ID_BYTES } from "../wire/ids.ts";
import type { OidView } from "./messages.ts";

/** Of each transaction so many oids are kept, the lowest ones. */
export const MOST_OIDS = 256;

const SORTS = ["changed", "modified", "created", "restored", "deleted"] as const;
const ADDED = 0x80;

/** Some of a transaction's oids, and of what sort each is. */
export interface KeptOids {
  /** Packed, sorted. */
  readonly oids: Uint8Array;
  /** For each one an index of `SORTS`, and `ADDED`. */
  readonly sorts: Uint8Array;
  /** All there are were kept. */
  readonly isAll: boolean;
}

/** Each object is counted once, as the first of created, restored, deleted that it is. */
export interface SortCounts {
  readonly created: number;
  readonly modified: number;
  readonly restored: number;
  readonly deleted: number;
}

export const NOTHING_KEPT: KeptOids = { oids: NO_OIDS, sorts: NO_OIDS, isAll: false };

export function countsOf(changes: Changes, oids: OidSet): SortCounts {
  const restored = without(changes.restored, changes.created);
  const deleted = without(changes.deleted, changes.created);
  const [created, all] = [oidCount(changes.created), oidCount(oids)];
  const [back, gone] = [oidCount(restored), oidCount(without(deleted, restored))];
  return { created, modified: all - created - back - gone, restored: back, deleted: gone };
}

/** Most transactions have none of one sort or the other. */
function without(oids: OidSet, but: OidSet): OidSet {
  return oids.length === 0 || but.length === 0 ? oids : difference(oids, but);
}

/** `changes`: undefined where the sorts are not known. `added`: what no message of the server's named. */
export function keepOids(oids: OidSet, changes: Changes | undefined, added: OidSet = NO_OIDS): KeptOids {
  const most = MOST_OIDS * ID_BYTES;
  const kept = Buffer.from(Uint8Array.from(oids.subarray(0, most)).buffer);
  const sorts = new Uint8Array(oidCount(kept)).fill(changes === undefined ? 0 : 1);
  // What is among the lowest of all is among the lowest of its sort: both are sorted.
  const mark = (of: OidSet, put: (sort: number) => number): void => {
    if (of.length > 0) markIn(kept, intersection(kept, of.subarray(0, most)), sorts, put);
  };
  if (changes !== undefined) {
    mark(changes.deleted, () => 4);
    mark(changes.restored, () => 3);
    mark(changes.created, () => 2);
  }
  mark(added, (sort) => sort | ADDED);
  return { oids: kept, sorts, isAll: kept.length === oids.length };
}

/** `some` are in `kept`; both are sorted. */
function markIn(kept: Buffer, some: OidSet, sorts: Uint8Array, put: (sort: number) => number): void {
  let at = 0;
  for (let i = 0; i < some.length; i += ID_BYTES) {
    while (kept.compare(some, i, i + ID_BYTES, at, at + ID_BYTES) !== 0) at += ID_BYTES;
    sorts[at / ID_BYTES] = put(sorts[at / ID_BYTES] ?? 0);
  }
}

/** Is that oid, eight bytes, among them? */
export function holds({ oids }: KeptOids, oid: Buffer): boolean {
  const all = Buffer.from(oids.buffer, oids.byteOffset, oids.byteLength);
  for (let at = all.indexOf(oid); at >= 0; at = all.indexOf(oid, at + 1)) if (at % ID_BYTES === 0) return true;
  return false;
}

export function oidViews({ oids, sorts }: KeptOids): OidView[] {
  const hex = Buffer.from(oids).toString("hex");
  return Array.from(sorts, (sort, i) => ({
    oid: hex.slice(i * 2 * ID_BYTES, (i + 1) * 2 * ID_BYTES),
    sort: SORTS[sort & ~ADDED] ?? "changed",
    isAdded: (sort & ADDED) !== 0,
  }));
}
