/** So much of a frame's beginning is handed over. */
const HEAD_BYTES = 256;
const LENGTH_BYTES = 4;

/** Counts through a stream of frames: of each only the beginning is seen, once all of it has come. */
export class Frames {
  readonly #handler: (head: Buffer, length: number) => void;
  readonly #prefix = Buffer.alloc(LENGTH_BYTES);
  #prefixLength = 0;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headLength = 0;
  #length = 0;
  #left = 0;

  /** `head` is only good until the handler returns. */
  constructor(handler: (head: Buffer, length: number) => void) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        at = this.#continue(chunk, at);
        continue;
      }
      if (this.#prefixLength > 0 || chunk.length - at < LENGTH_BYTES) {
        this.#prefix[this.#prefixLength++] = chunk[at++] as number;
        if (this.#prefixLength < LENGTH_BYTES) continue;
        this.#prefixLength = 0;
        this.#length = this.#prefix.readUInt32BE();
      } else {
        this.#length = chunk.readUInt32BE(at);
        at += LENGTH_BYTES;
      }
      const end = at + this.#length;
      if (end <= chunk.length) {
        this.#handler(chunk.subarray(at, Math.min(end, at + HEAD_BYTES)), this.#length);
        at = end;
      } else {
        this.#left = this.#length;
        this.#headLength = 0;
      }
    }
  }

  #continue(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    if (this.#headLength < HEAD_BYTES) {
      this.#headLength += chunk.copy(
        this.#head,
        this.#headLength,
        at,
        Math.min(end, at + HEAD_BYTES - this.#headLength),
      );
    }
    this.#left -= end - at;
    if (this.#left === 0) this.#handler(this.#head.subarray(0, this.#headLength), this.#length);
    return end;
  }
}
