/**
 * A set of byte strings that keeps only a 64-bit hash of each, in an open-addressing table. Two of n strings share a
 * hash with a probability of about n * n / 2^65: 3 in a million for ten million of them.
 */
export class Visited {
  size = 0;
  #capacity: number;
  #high: Uint32Array;
  #low: Uint32Array;

  constructor(capacity = 1 << 16) {
    this.#capacity = capacity;
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
  }

  /** False when it was there already. */
  add(bytes: Uint8Array, length: number): boolean {
    let a = 0x9e3779b9 ^ length;
    let b = 0x85ebca6b;
    for (let i = 0; i < length; i++) {
      const byte = bytes[i] ?? 0;
      a = Math.imul(a ^ byte, 0x01000193);
      a ^= a >>> 15;
      b = Math.imul(b + byte, 0xcc9e2d51);
      b ^= b >>> 13;
    }
    a = mix(a, 0x7feb352d);
    b = mix(b ^ Math.imul(a, 0x2545f491), 0x846ca68b);
    if (a === 0 && b === 0) b = 1; // an empty place has zeros
    if (this.size * 5 > this.#capacity * 3) this.#grow();
    if (!this.#insert(a, b)) return false;
    this.size++;
    return true;
  }

  #insert(high: number, low: number): boolean {
    const mask = this.#capacity - 1;
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const h = this.#high[at] ?? 0;
      const l = this.#low[at] ?? 0;
      if (h === 0 && l === 0) {
        this.#high[at] = high;
        this.#low[at] = low;
        return true;
      }
      if (h === high && l === low) return false;
    }
  }

  #grow(): void {
    const high = this.#high;
    const low = this.#low;
    this.#capacity *= 2;
    this.#high = new Uint32Array(this.#capacity);
    this.#low = new Uint32Array(this.#capacity);
    for (let i = 0; i < high.length; i++) {
      const h = high[i] ?? 0;
      const l = low[i] ?? 0;
      if (h !== 0 || l !== 0) this.#insert(h, l);
    }
  }
}

function mix(x: number, factor: number): number {
  let y = Math.imul(x ^ (x >>> 16), factor);
  y = Math.imul(y ^ (y >>> 15), 0x2c1b3c6d);
  return (y ^ (y >>> 16)) >>> 0;
}
