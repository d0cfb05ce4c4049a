import { ID_BYTES } from "../wire/ids.ts";

/**
 * Oids, packed: eight bytes each, in one buffer. A list may be in any order and hold an oid twice; a *set* is sorted
 * by unsigned value and holds each once. Functions here never change their arguments.
 */
export type OidList = Buffer;
export type OidSet = Buffer;

export const NO_OIDS: OidSet = Buffer.alloc(0);

export function oidCount(oids: OidList): number {
  return oids.length / ID_BYTES;
}

/** An aligned copy, so that it can be seen as 64-bit words. */
function alignedCopy(oids: OidList): Buffer {
  const copy = Buffer.from(new ArrayBuffer(oids.length));
  oids.copy(copy);
  return copy;
}

/** Sorted, each oid as often as it stands in the list. */
function sorted(oids: OidList): Buffer {
  const copy = alignedCopy(oids);
  if (copy.length <= ID_BYTES) return copy;
  copy.swap64();
  new BigUint64Array(copy.buffer, copy.byteOffset, copy.length / ID_BYTES).sort();
  return copy.swap64();
}

/** Less than, equal to or greater than zero, as for `Buffer.compare`. */
function compareAt(a: Buffer, i: number, b: Buffer, j: number): number {
  const high = a.readUInt32BE(i) - b.readUInt32BE(j);
  return high === 0 ? a.readUInt32BE(i + 4) - b.readUInt32BE(j + 4) : high;
}

/** A copy in memory of its own: a view would keep alive all that it was cut from, be it a pool of Node's. */
function ownCopy(oids: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(oids.length);
  oids.copy(copy);
  return copy;
}

/** The set of the oids in a list, in memory of its own. */
export function oidSet(oids: OidList): OidSet {
  if (oids.length === 0) return NO_OIDS;
  if (oids.length === ID_BYTES) return ownCopy(oids);
  const all = sorted(oids);
  let end = ID_BYTES;
  for (let i = ID_BYTES; i < all.length; i += ID_BYTES) {
    if (compareAt(all, i, all, end - ID_BYTES) === 0) continue;
    if (end !== i) all.copyWithin(end, i, i + ID_BYTES);
    end += ID_BYTES;
  }
  // Keep no half-empty buffer alive for long.
  return end === all.length ? all : ownCopy(all.subarray(0, end));
}

export function union(a: OidSet, b: OidSet): OidSet {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const added = difference(b, a);
  return added.length === 0 ? a : oidSet(Buffer.concat([a, added]));
}

/** The oids of `a` that are not in `b`. */
export function difference(a: OidSet, b: OidSet): OidSet {
  return pick(a, b, false);
}

export function intersection(a: OidSet, b: OidSet): OidSet {
  return pick(a, b, true);
}

function pick(a: OidSet, b: OidSet, inBoth: boolean): OidSet {
  const keep = (from: (i: number) => void): void => {
    let j = 0;
    for (let i = 0; i < a.length; i += ID_BYTES) {
      while (j < b.length && compareAt(b, j, a, i) < 0) j += ID_BYTES;
      const found = j < b.length && compareAt(b, j, a, i) === 0;
      if (found === inBoth) from(i);
    }
  };
  let count = 0;
  keep(() => count++);
  if (count * ID_BYTES === a.length) return a;
  const result = Buffer.allocUnsafeSlow(count * ID_BYTES);
  let at = 0;
  keep((i) => {
    a.copy(result, at, i, i + ID_BYTES);
    at += ID_BYTES;
  });
  return result;
}

/** Is every oid of the list in the set? */
export function isSubset(list: OidList, of: OidSet): boolean {
  return difference(oidSet(list), of).length === 0;
}

/** The oids that stand in `refused` at least as often as in `list`: every one of their stores was refused. */
export function refusedAlways(list: OidList, refused: OidList): OidSet {
  if (refused.length === 0) return NO_OIDS;
  const all = sorted(list);
  const no = sorted(refused);
  const found: Buffer[] = [];
  let j = 0;
  for (let i = 0; i < all.length;) {
    const start = i;
    while (i < all.length && compareAt(all, i, all, start) === 0) i += ID_BYTES;
    while (j < no.length && compareAt(no, j, all, start) < 0) j += ID_BYTES;
    const from = j;
    while (j < no.length && compareAt(no, j, all, start) === 0) j += ID_BYTES;
    if (j - from >= i - start) found.push(all.subarray(start, start + ID_BYTES));
  }
  return Buffer.concat(found);
}

/** A list under construction. */
export interface OidBuilder {
  bytes: Buffer;
  length: number;
}

export function newBuilder(): OidBuilder {
  return { bytes: NO_OIDS, length: 0 };
}

/** Appends the eight bytes at `offset`; doubles the room when it is used up. */
export function append(builder: OidBuilder, from: Buffer, offset: number): void {
  if (builder.length === builder.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(Math.max(8 * ID_BYTES, builder.bytes.length * 2));
    builder.bytes.copy(larger, 0, 0, builder.length);
    builder.bytes = larger;
  }
  from.copy(builder.bytes, builder.length, offset, offset + ID_BYTES);
  builder.length += ID_BYTES;
}

/** What was appended so far; a view. */
export function built(builder: OidBuilder): OidList {
  return builder.bytes.subarray(0, builder.length);
}
