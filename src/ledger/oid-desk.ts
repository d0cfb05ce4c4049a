import { ID_BYTES } from "../wire/ids.ts";
import { room } from "./oid-room.ts";

// Packed oids as numbers. A `DataView` reads them many times as fast as `Buffer` does, but to make one costs more than to
// work on some oids: these are laid on a desk, of which there is a view already.

/** So many are few. */
export const FEW_BYTES = 64 * ID_BYTES;

/** The places on the desk. */
export const FIRST = 0;
export const SECOND = FEW_BYTES;
export const THIRD = 2 * FEW_BYTES;

const desk = Buffer.allocUnsafeSlow(3 * FEW_BYTES);
const deskView = viewOf(desk);

/** Lays them there: until the next one is laid there they can be read in what this returns. */
export function laid(oids: Buffer, place: number): DataView {
  desk.set(oids, place);
  return deskView;
}

/** What stands there now, in memory of its own. */
export function taken(from: number, to: number): Buffer {
  const own = room(to - from);
  // For so few bytes `copy` costs many times as much.
  for (let i = from; i < to; i++) own[i - from] = desk[i] as number;
  return own;
}

export function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** Less than, equal to or greater than zero, as for `Buffer.compare`. */
export function compareAt(a: DataView, i: number, b: DataView, j: number): number {
  const high = a.getUint32(i) - b.getUint32(j);
  return high === 0 ? a.getUint32(i + 4) - b.getUint32(j + 4) : high;
}

export function copyAt(from: DataView, i: number, to: DataView, j: number): void {
  to.setUint32(j, from.getUint32(i));
  to.setUint32(j + 4, from.getUint32(i + 4));
}
