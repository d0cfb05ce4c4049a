/** So much of a frame's beginning is kept where it comes in parts. */
const HEAD_BYTES = 256;
const LENGTH_BYTES = 4;

/** `bytes` from `start` to `end` are a frame's beginning, good until the handler returns; `length` is all of it. */
export type FrameHandler = (bytes: Buffer, start: number, end: number, length: number) => void;

/** Counts through a stream of frames: of each only the beginning is seen, once all of it has come. Makes no objects. */
export class Frames {
  handler: FrameHandler;
  readonly #prefix = Buffer.alloc(LENGTH_BYTES);
  #prefixLength = 0;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headLength = 0;
  #length = 0;
  #left = 0;

  constructor(handler: FrameHandler) {
    this.handler = handler;
  }

  push(bytes: Buffer, end: number = bytes.length): void {
    let at = 0;
    while (at < end) {
      if (this.#left > 0) {
        at = this.#continue(bytes, at, end);
        continue;
      }
      if (this.#prefixLength > 0 || end - at < LENGTH_BYTES) {
        this.#prefix[this.#prefixLength++] = bytes[at++] as number;
        if (this.#prefixLength < LENGTH_BYTES) continue;
        this.#prefixLength = 0;
        this.#length = this.#prefix.readUInt32BE();
      } else {
        this.#length = bytes.readUInt32BE(at);
        at += LENGTH_BYTES;
      }
      const frameEnd = at + this.#length;
      if (frameEnd <= end) {
        this.handler(bytes, at, Math.min(frameEnd, at + HEAD_BYTES), this.#length);
        at = frameEnd;
      } else {
        this.#left = this.#length;
        this.#headLength = 0;
      }
    }
  }

  #continue(bytes: Buffer, at: number, most: number): number {
    const end = Math.min(most, at + this.#left);
    if (this.#headLength < HEAD_BYTES) {
      const headEnd = Math.min(end, at + HEAD_BYTES - this.#headLength);
      this.#headLength += bytes.copy(this.#head, this.#headLength, at, headEnd);
    }
    this.#left -= end - at;
    if (this.#left === 0) this.handler(this.#head, 0, this.#headLength, this.#length);
    return end;
  }
}

/** Whole frames, for what is looked at once. */
export class WholeFrames {
  #bytes = Buffer.alloc(0);
  readonly #handler: (frame: Buffer) => void;

  constructor(handler: (frame: Buffer) => void) {
    this.#handler = handler;
  }

  push(bytes: Buffer, end: number): void {
    this.#parts.push(Buffer.from(bytes.subarray(0, end)));
    this.#length += end;
    if (this.#length < this.#wanted) return;
    this.#bytes = Buffer.concat(this.#parts);
    this.#take();
    this.#parts = [this.#bytes];
    this.#length = this.#bytes.length;
  }

  #parts: Buffer[] = [];
  #length = 0;
  #wanted = LENGTH_BYTES;

  #take(): void {
    for (;;) {
      this.#wanted = LENGTH_BYTES;
      if (this.#bytes.length < this.#wanted) return;
      this.#wanted += this.#bytes.readUInt32BE();
      if (this.#bytes.length < this.#wanted) return;
      const frame = this.#bytes.subarray(LENGTH_BYTES, this.#wanted);
      this.#bytes = this.#bytes.subarray(this.#wanted);
      this.#handler(frame);
    }
  }
}
