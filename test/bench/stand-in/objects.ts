import * as z5 from "../wire/z5.ts";

/** An object's data; those of one size share it. */
const objects = new Map<number, Buffer>();

export function object(size: number): Buffer {
  let data = objects.get(size);
  if (data === undefined) objects.set(size, (data = Buffer.alloc(size, "x")));
  return data;
}

/** So many bytes, in pieces that share their memory. */
export function* pieces(size: number): Iterable<Buffer> {
  const piece = object(0x10_0000);
  for (let left = size; left > 0; left -= piece.length) yield left < piece.length ? piece.subarray(0, left) : piece;
}

const SERIAL = z5.eight(1);
export const REPLY = ".reply";

/** Where a reply's id stands: behind the length and the pickle's header. */
export const ID_AT = 7;
/** The pickle of an oid and a tid, by which a load is numbered. */
const LOAD_ID = z5.tuple(z5.bytes(SERIAL), z5.bytes(SERIAL));

/** The reply to a load of an object of this size, before its data and behind it; the id is to be filled in. */
export function aroundLoad(size: number): { readonly head: Buffer; readonly tail: Buffer } {
  const tail = z5.tuple(z5.bytes(SERIAL), z5.NONE).subarray(0, -1);
  return z5.around(z5.start(LOAD_ID, false, REPLY), Buffer.alloc(0), size, tail);
}

const loads = new Map<number, Buffer>();

/** The same as one frame. */
export function wholeLoad(size: number): Buffer {
  let frame = loads.get(size);
  if (frame === undefined) {
    const { head, tail } = aroundLoad(size);
    loads.set(size, (frame = Buffer.concat([head, object(size), tail])));
  }
  return frame;
}
