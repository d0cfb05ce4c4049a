import { difference, NO_OIDS, oidCount, type OidSet } from "../ledger/oid-set.ts";
import type { Changes } from "../ledger/transaction.ts";
import { newRoom } from "../ledger/oid-room.ts";
import { ID_BYTES } from "../wire/ids.ts";
import type { OidView, Row } from "./messages.ts";

/** Of each transaction so many oids are kept, the lowest ones. */
export const MOST_OIDS = 256;

const room = newRoom();

const SORTS = ["changed", "modified", "created", "restored", "deleted"] as const;
const [CREATED, RESTORED, DELETED] = [2, 3, 4];
const ADDED = 0x80;

/** Some of a transaction's oids, and of what sort each is. */
export interface KeptOids {
  /** Packed, sorted. */
  readonly oids: OidSet;
  /** For each one an index of `SORTS`, and `ADDED`. */
  readonly sorts: Uint8Array;
  /** All there are were kept. */
  readonly isAll: boolean;
}

/** How many objects, each counted once, as the first of created, restored, deleted that it is. */
export type Counts = Pick<Row, "objects" | "created" | "modified" | "restored" | "deleted">;

export const NOTHING_KEPT: KeptOids = { oids: NO_OIDS, sorts: NO_OIDS, isAll: false };

export function countsOf(changes: Changes, oids: OidSet): Counts {
  const restored = without(changes.restored, changes.created);
  const deleted = without(changes.deleted, changes.created);
  const [created, objects] = [oidCount(changes.created), oidCount(oids)];
  const [back, gone] = [oidCount(restored), oidCount(without(deleted, restored))];
  return { objects, created, modified: objects - created - back - gone, restored: back, deleted: gone };
}

/** Most transactions have none of one sort or the other. */
function without(oids: OidSet, but: OidSet): OidSet {
  return oids.length === 0 || but.length === 0 ? oids : difference(oids, but);
}

/** `changes`: undefined where the sorts are not known. */
export function keepOids(oids: OidSet, changes?: Changes): KeptOids {
  // Their own: the sets' memory is shared with what lives for shorter or longer.
  const kept = room(Math.min(oids.length, MOST_OIDS * ID_BYTES));
  kept.set(oids.length === kept.length ? oids : oids.subarray(0, kept.length));
  const sorts = new Uint8Array(kept.length / ID_BYTES).fill(changes === undefined ? 0 : 1);
  const all: KeptOids = { oids: kept, sorts, isAll: kept.length === oids.length };
  if (changes !== undefined) {
    mark(all, changes.deleted, DELETED);
    mark(all, changes.restored, RESTORED);
    mark(all, changes.created, CREATED);
  }
  return all;
}

/** Those that are among them get that mark; `but`: what they keep of theirs. Both are sorted. */
function mark({ oids, sorts }: KeptOids, some: OidSet, sort: number, but = 0): void {
  let n = 0;
  for (let at = 0; at < some.length && n < sorts.length; n++) {
    const order = compareIds(oids, n * ID_BYTES, some, at);
    if (order < 0) continue;
    if (order === 0) sorts[n] = ((sorts[n] ?? 0) & but) | sort;
    else n--;
    at += ID_BYTES;
  }
}

/** As for `Buffer.compare`, which costs many times as much for so few bytes. */
function compareIds(a: Uint8Array, i: number, b: Uint8Array, j: number): number {
  for (let k = 0; k < ID_BYTES; k++) {
    const order = (a[i + k] ?? 0) - (b[j + k] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** Those, and no others, are what no message of the server's named. */
export function markAdded(kept: KeptOids, added: OidSet): void {
  const { sorts } = kept;
  for (let n = 0; n < sorts.length; n++) sorts[n] = (sorts[n] ?? 0) & ~ADDED;
  mark(kept, added, ADDED, ~ADDED);
}

/** Is that oid, eight bytes, among them? */
export function holds({ oids }: KeptOids, oid: Buffer): boolean {
  for (let at = oids.indexOf(oid); at >= 0; at = oids.indexOf(oid, at + 1)) if (at % ID_BYTES === 0) return true;
  return false;
}

export function oidViews({ oids, sorts }: KeptOids): OidView[] {
  const hex = oids.toString("hex");
  return Array.from(sorts, (sort, i) => ({
    oid: hex.slice(i * 2 * ID_BYTES, (i + 1) * 2 * ID_BYTES),
    sort: SORTS[sort & ~ADDED] ?? "changed",
    isAdded: (sort & ADDED) !== 0,
  }));
}
