import { ID_BYTES } from "../wire/ids.ts";

/** From so many oids on they are distributed, which takes time in proportion; fewer are compared, which costs less. */
const MANY = 8192;
const DIGIT_BITS = 16;
const DIGIT_MASK = 0xffff;

/** The oids of a list, packed, by unsigned value, each as often as it stands there; in memory of its own. */
export function sorted(oids: Buffer): Buffer {
  return oids.length < MANY * ID_BYTES ? compared(oids) : distributed(oids);
}

function compared(oids: Buffer): Buffer {
  // Aligned, so that it can be seen as 64-bit words.
  const copy = Buffer.from(new ArrayBuffer(oids.length));
  oids.copy(copy);
  if (copy.length <= ID_BYTES) return copy;
  copy.swap64();
  new BigUint64Array(copy.buffer, copy.byteOffset, copy.length / ID_BYTES).sort();
  return copy.swap64();
}

/** Both halves of each oid, and room for as many. */
class Halves {
  readonly high: Uint32Array;
  readonly low: Uint32Array;

  constructor(count: number) {
    this.high = new Uint32Array(count);
    this.low = new Uint32Array(count);
  }
}

/** By one digit behind the other, the lowest first; each pass keeps the order of the one before. */
function distributed(oids: Buffer): Buffer {
  const count = oids.length / ID_BYTES;
  let from = new Halves(count);
  let to = new Halves(count);
  const read = new DataView(oids.buffer, oids.byteOffset, oids.length);
  for (let i = 0; i < count; i++) {
    from.high[i] = read.getUint32(i * ID_BYTES);
    from.low[i] = read.getUint32(i * ID_BYTES + 4);
  }
  for (const half of ["low", "high"] as const) {
    for (const shift of [0, DIGIT_BITS]) {
      if (!distribute(from, to, half, shift)) continue;
      [from, to] = [to, from];
    }
  }
  const result = Buffer.allocUnsafeSlow(oids.length);
  const write = new DataView(result.buffer, result.byteOffset, result.length);
  for (let i = 0; i < count; i++) {
    write.setUint32(i * ID_BYTES, from.high[i] as number);
    write.setUint32(i * ID_BYTES + 4, from.low[i] as number);
  }
  return result;
}

/** By the digit of that half. Returns whether that was needed: mostly all have the same high digits. */
function distribute(from: Halves, to: Halves, half: "high" | "low", shift: number): boolean {
  const key = from[half];
  const count = key.length;
  const places = new Uint32Array(DIGIT_MASK + 1);
  for (let i = 0; i < count; i++) (places[((key[i] as number) >>> shift) & DIGIT_MASK] as number)++;
  if (places[((key[0] as number) >>> shift) & DIGIT_MASK] === count) return false;
  let place = 0;
  for (let digit = 0; digit < places.length; digit++) {
    const here = places[digit] as number;
    places[digit] = place;
    place += here;
  }
  const { high, low } = from;
  for (let i = 0; i < count; i++) {
    const digit = ((key[i] as number) >>> shift) & DIGIT_MASK;
    const at = places[digit] as number;
    places[digit] = at + 1;
    to.high[at] = high[i] as number;
    to.low[at] = low[i] as number;
  }
  return true;
}
