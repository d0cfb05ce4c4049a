import { ID_BYTES } from "../wire/ids.ts";
import { compareAt, copyAt, FEW_BYTES, FIRST, laid, SECOND, taken, THIRD, viewOf } from "./oid-desk.ts";
import { room } from "./oid-room.ts";
import { sorted } from "./oid-sort.ts";

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

/** Is it a set? As lists nearly always are. */
function isSet(oids: OidList): boolean {
  if (oids.length === ID_BYTES) return true;
  const view = oids.length <= FEW_BYTES ? laid(oids, FIRST) : viewOf(oids);
  for (let i = ID_BYTES; i < oids.length; i += ID_BYTES) if (compareAt(view, i - ID_BYTES, view, i) >= 0) return false;
  return true;
}

/** A copy: a view would keep alive all that it was cut from. */
function ownCopy(oids: Buffer): Buffer {
  const copy = room(oids.length);
  oids.copy(copy);
  return copy;
}

/** The set of the oids in a list, in memory of its own. */
export function oidSet(oids: OidList): OidSet {
  if (oids.length === 0) return NO_OIDS;
  if (isSet(oids)) return ownCopy(oids);
  const all = sorted(oids);
  const view = viewOf(all);
  let end = ID_BYTES;
  for (let i = ID_BYTES; i < all.length; i += ID_BYTES) {
    if (compareAt(view, i, view, end - ID_BYTES) === 0) continue;
    copyAt(view, i, view, end);
    end += ID_BYTES;
  }
  // Keep no half-empty buffer alive for long.
  return end === all.length ? all : ownCopy(all.subarray(0, end));
}

export function union(a: OidSet, b: OidSet): OidSet {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const added = difference(b, a);
  return added.length === 0 ? a : merged(a, added);
}

/** Of two sets that have nothing in common. */
function merged(a: OidSet, b: OidSet): OidSet {
  const isFew = a.length + b.length <= FEW_BYTES;
  const result = isFew ? undefined : room(a.length + b.length);
  const one = isFew ? laid(a, FIRST) : viewOf(a);
  const other = isFew ? laid(b, SECOND) : viewOf(b);
  const to = result === undefined ? one : viewOf(result);
  const [first, start] = isFew ? [SECOND, THIRD] : [0, 0];
  const last = first + b.length;
  let end = start;
  let j = first;
  for (let i = 0; i < a.length; i += ID_BYTES) {
    for (; j < last && compareAt(other, j, one, i) < 0; j += ID_BYTES, end += ID_BYTES) copyAt(other, j, to, end);
    copyAt(one, i, to, end);
    end += ID_BYTES;
  }
  for (; j < last; j += ID_BYTES, end += ID_BYTES) copyAt(other, j, to, end);
  return result ?? taken(start, end);
}

/** The oids of `a` that are not in `b`. */
export function difference(a: OidSet, b: OidSet): OidSet {
  return pick(a, b, false);
}

export function intersection(a: OidSet, b: OidSet): OidSet {
  return pick(a, b, true);
}

function pick(a: OidSet, b: OidSet, inBoth: boolean): OidSet {
  if (a.length <= FEW_BYTES && b.length <= FEW_BYTES) return pickFew(a, b, inBoth);
  const [from, other] = [viewOf(a), viewOf(b)];
  /** None until the first one that is left out. */
  let result: Buffer | undefined;
  let to = from;
  let end = 0;
  let j = 0;
  for (let i = 0; i < a.length; i += ID_BYTES) {
    while (j < b.length && compareAt(other, j, from, i) < 0) j += ID_BYTES;
    const found = j < b.length && compareAt(other, j, from, i) === 0;
    if (found !== inBoth) {
      if (result !== undefined) continue;
      result = room(a.length);
      a.copy(result, 0, 0, i);
      to = viewOf(result);
    } else {
      if (result !== undefined) copyAt(from, i, to, end);
      end += ID_BYTES;
    }
  }
  return result === undefined ? a : ownCopy(result.subarray(0, end));
}

/** The same on the desk. */
function pickFew(a: OidSet, b: OidSet, inBoth: boolean): OidSet {
  laid(a, FIRST);
  const desk = laid(b, SECOND);
  const last = SECOND + b.length;
  let end = THIRD;
  let j = SECOND;
  for (let i = 0; i < a.length; i += ID_BYTES) {
    while (j < last && compareAt(desk, j, desk, i) < 0) j += ID_BYTES;
    if ((j < last && compareAt(desk, j, desk, i) === 0) !== inBoth) continue;
    copyAt(desk, i, desk, end);
    end += ID_BYTES;
  }
  if (end === THIRD) return NO_OIDS;
  return end - THIRD === a.length ? a : taken(THIRD, end);
}

/** Is every oid of the list in the set? */
export function isSubset(list: OidList, of: OidSet): boolean {
  return difference(oidSet(list), of).length === 0;
}

/** The oids that stand in `refused` at least as often as in `list`: every one of their stores was refused. */
export function refusedAlways(list: OidList, refused: OidList): OidSet {
  if (refused.length === 0) return NO_OIDS;
  const [all, no] = [sorted(list), sorted(refused)];
  const [stored, never] = [viewOf(all), viewOf(no)];
  const found: Buffer[] = [];
  let j = 0;
  for (let i = 0; i < all.length;) {
    const start = i;
    while (i < all.length && compareAt(stored, i, stored, start) === 0) i += ID_BYTES;
    while (j < no.length && compareAt(never, j, stored, start) < 0) j += ID_BYTES;
    const from = j;
    while (j < no.length && compareAt(never, j, stored, start) === 0) j += ID_BYTES;
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
  const { length } = builder;
  if (length === builder.bytes.length) {
    const larger = room(Math.max(8 * ID_BYTES, length * 2));
    builder.bytes.copy(larger, 0, 0, length);
    builder.bytes = larger;
  }
  const { bytes } = builder;
  // For so few bytes `copy` costs many times as much.
  for (let i = 0; i < ID_BYTES; i++) bytes[length + i] = from[offset + i] as number;
  builder.length = length + ID_BYTES;
}

/** What was appended so far; a view. */
export function built(builder: OidBuilder): OidList {
  if (builder.length === 0) return NO_OIDS;
  return builder.bytes.subarray(0, builder.length);
}
