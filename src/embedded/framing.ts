/** Complete frames only, in memory: good enough for an embedded server and its small client, not for a relay. */

const HEADER_BYTES = 4;

/** A payload with its length before it. */
export function frameOf(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(payload.length);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

export class FrameTooLong extends Error {
  override readonly name = "FrameTooLong";
}

/** Collects what a socket delivers and hands out whole payloads. */
export class FrameAssembler {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** `maxBytes`: a frame that announces more throws `FrameTooLong`. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The payloads that are complete with this chunk, without their length; views of received memory. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const payloads: Buffer[] = [];
    while (this.#bytes >= HEADER_BYTES) {
      const length = this.#peekLength();
      if (length > this.#maxBytes) throw new FrameTooLong(`a frame of ${length} bytes; at most ${this.#maxBytes}`);
      if (this.#bytes < HEADER_BYTES + length) break;
      const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
      payloads.push(all.subarray(HEADER_BYTES, HEADER_BYTES + length));
      this.#bytes -= HEADER_BYTES + length;
      this.#chunks = this.#bytes > 0 ? [all.subarray(HEADER_BYTES + length)] : [];
    }
    return payloads;
  }

  /** True between two frames: the place where a stream may end. */
  get empty(): boolean {
    return this.#bytes === 0;
  }

  #peekLength(): number {
    const first = this.#chunks[0] as Buffer;
    if (first.length >= HEADER_BYTES) return first.readUInt32BE(0);
    this.#chunks = [Buffer.concat(this.#chunks)];
    return (this.#chunks[0] as Buffer).readUInt32BE(0);
  }
}
