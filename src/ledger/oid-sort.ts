import { ID_BYTES } from "../wire/ids.ts";

/** From so many oids on they are distributed, which takes time in proportion; fewer are compared, which costs less. */
const MANY = 8192;
/** As many places as fit into a processor's nearest cache. */
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

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

/** By one digit behind the other, the lowest first; each pass keeps the order of the one before. */
function distributed(oids: Buffer): Buffer {
  const count = oids.length / ID_BYTES;
  const read = new DataView(oids.buffer, oids.byteOffset, oids.length);
  const [high, low] = [read.getUint32(0), read.getUint32(4)];
  // The high half of each, and the low one.
  let from = new Uint32Array(2 * count);
  let to = new Uint32Array(2 * count);
  const differ: [number, number] = [0, 0];
  for (let i = 0; i < from.length; i += 2) {
    from[i] = read.getUint32(i * 4);
    from[i + 1] = read.getUint32(i * 4 + 4);
    differ[0] |= (from[i] as number) ^ high;
    differ[1] |= (from[i + 1] as number) ^ low;
  }
  for (const half of [1, 0] as const) {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      // Mostly all have the same high digits.
      if (((differ[half] >>> shift) & (DIGITS - 1)) === 0) continue;
      distribute(from, to, half, shift);
      [from, to] = [to, from];
    }
  }
  const result = Buffer.allocUnsafeSlow(oids.length);
  const write = new DataView(result.buffer, result.byteOffset, result.length);
  for (let i = 0; i < from.length; i++) write.setUint32(i * 4, from[i] as number);
  return result;
}

/** By the digit of that half. */
function distribute(from: Uint32Array, to: Uint32Array, half: 0 | 1, shift: number): void {
  const places = new Uint32Array(DIGITS);
  for (let i = half; i < from.length; i += 2) {
    const digit = ((from[i] as number) >>> shift) & (DIGITS - 1);
    places[digit] = (places[digit] as number) + 1;
  }
  let place = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const here = places[digit] as number;
    places[digit] = place;
    place += 2 * here;
  }
  for (let i = 0; i < from.length; i += 2) {
    const digit = ((from[i + half] as number) >>> shift) & (DIGITS - 1);
    const at = places[digit] as number;
    places[digit] = at + 2;
    to[at] = from[i] as number;
    to[at + 1] = from[i + 1] as number;
  }
}
