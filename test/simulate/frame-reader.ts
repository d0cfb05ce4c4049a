/** Told of each frame: where it stands in `bytes`, with its length before it. False: no more is wanted. */
export type FrameListener = (bytes: Buffer, at: number, end: number) => boolean;

/** Splits a stream into frames, the simulator's own way, without a copy of those that come whole. */
export class FrameReader {
  #kept: Buffer = Buffer.alloc(0);
  #length = 0;

  /** Bytes of a frame that has not come whole. */
  get partial(): Buffer {
    return this.#kept.subarray(0, this.#length);
  }

  push(bytes: Buffer, frame: FrameListener): void {
    let from = bytes;
    if (this.#length > 0) {
      this.#append(bytes);
      from = this.#kept.subarray(0, this.#length);
    }
    let at = 0;
    while (from.length - at >= 4) {
      const end = at + frameLength(from.readUInt32BE(at));
      if (end > from.length) break;
      if (!frame(from, at, end)) {
        this.#length = 0;
        return;
      }
      at = end;
    }
    const rest = from.length - at;
    if (from !== bytes) {
      if (at > 0) this.#kept.copyWithin(0, at, this.#length);
      this.#length = rest;
    } else if (rest > 0) {
      this.#length = 0;
      this.#append(bytes.subarray(at));
    }
  }

  #append(bytes: Buffer): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed * 2, 256));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#length);
    this.#length = needed;
  }
}

const MAC_BIT = 0x8000_0000;
const MAC_BYTES = 20;

function frameLength(word: number): number {
  return word < MAC_BIT ? 4 + word : 4 + MAC_BYTES + (word - MAC_BIT);
}

/** The same frame, with a MAC that nobody looks at. */
export function withMac(frame: Buffer): Buffer {
  const word = frame.readUInt32BE(0);
  const result = Buffer.alloc(frame.length + MAC_BYTES, word & 0xff);
  result.writeUInt32BE(MAC_BIT + word, 0);
  frame.copy(result, 4 + MAC_BYTES, 4);
  return result;
}

/** Are these the bytes there? */
export function matches(expected: Buffer, bytes: Buffer, at: number, end: number): boolean {
  const { length } = expected;
  if (end - at !== length) return false;
  if (length > 100) return expected.compare(bytes, at, end) === 0;
  for (let i = 0; i < length; i++) if (expected[i] !== bytes[at + i]) return false;
  return true;
}
