import { ProtocolError } from "./errors.ts";

/** Bytes of the length before every payload, big-endian. */
export const LENGTH_BYTES = 4;

/** Old sides set it when 20 bytes of HMAC follow the length (ZEO 4.3.1 `zrpc/smac.py`). */
const MAC_BIT = 0x80000000;

/** A store's arguments behind its data: a version or file name, and the transaction id. */
const MAX_TAIL_BYTES = 64 * 1024;

/** What to do with a frame. */
export type Verdict =
  /** The head is too short to tell. Not allowed when the frame is whole. */
  | "more"
  /** Its bytes flow on as they come. */
  | "pass"
  /** It is handed over whole, and does not flow on by itself. */
  | "hold";

export interface FrameHandler {
  /** The payload's first bytes, all of them when `head.length === length`. */
  begin(head: Buffer, length: number): Verdict;
  /** Bytes that flow on, lengths included: whole frames, or parts of one. */
  flow(bytes: Buffer): void;
  /** A frame that was held, with its length prefix. */
  frame(frame: Buffer): void;
  /** A frame has a MAC: the stream has turned raw, and its bytes flow on behind this call. */
  mac(): void;
  /** A passing frame's last bytes, from the payload offset that `tailFrom` named. */
  tail(bytes: Buffer): void;
}

export interface FrameLimits {
  /** The longest payload. */
  readonly maxFrameBytes: number;
  /** The longest payload that is held. */
  readonly maxHeldBytes: number;
}

/**
 * Splits a byte stream into frames without copying: a run of passing frames in one chunk flows on as one slice of it.
 * Bytes of a frame whose head is still too short, and frames that are held, are all that is ever kept.
 */
export class FrameStream {
  readonly #handler: FrameHandler;
  /** May change between frames. */
  limits: FrameLimits;
  /** Does the stream know frames with a MAC (old protocols)? Then one turns it raw. */
  macs = false;
  /** Set by `begin` before it answers `pass` to a frame that is not whole: a payload offset from which on to keep it. */
  tailFrom: number | undefined;
  #carry: Buffer | undefined;
  /** Payload bytes of the current frame that have not come yet. */
  #left = 0;
  #passing = true;
  #mode: "frames" | "raw" | "stopped" = "frames";
  #held: Buffer = Buffer.alloc(0);
  #heldLength = 0;
  /** Payload bytes of the passing frame that have come, while its tail is wanted. */
  #passed = 0;
  #received = 0;
  #frameAt = 0;
  #between: (() => void) | undefined;

  /** `start`: so many bytes of the stream came before the first frame; only counted. */
  constructor(handler: FrameHandler, limits: FrameLimits, start = 0) {
    this.#handler = handler;
    this.limits = limits;
    this.#received = start;
  }

  /** Has a frame flowed on in part? Nothing may be written between its parts. */
  get midFrame(): boolean {
    return this.#left > 0 && this.#passing;
  }

  /** Would the stream end inside a frame if it ended now? */
  get truncated(): boolean {
    return this.#left > 0 || this.#carry !== undefined;
  }

  get isRaw(): boolean {
    return this.#mode === "raw";
  }

  /** So many bytes of the stream have come. */
  get received(): number {
    return this.#received;
  }

  /** Where in the stream the current frame's payload begins: what the offset of a ProtocolError is added to. */
  get payloadOffset(): number {
    return this.#frameAt + LENGTH_BYTES;
  }

  /** Runs `work` now, or as soon as the frame that has flowed on in part has ended. Only the newest waits. */
  between(work: () => void): void {
    if (this.midFrame) this.#between = work;
    else work();
  }

  /** Nothing is looked at any more. What was kept back flows on. */
  turnRaw(): void {
    if (this.#mode !== "frames") return;
    this.#mode = "raw";
    this.#between = undefined;
    const kept = [this.#passing ? undefined : this.#held.subarray(0, this.#heldLength), this.#carry];
    this.#carry = undefined;
    this.#left = 0;
    for (const bytes of kept) if (bytes !== undefined && bytes.length > 0) this.#handler.flow(bytes);
  }

  /** Nothing is read or handed on any more, not even the rest of the current chunk. */
  stop(): void {
    this.#mode = "stopped";
    this.#between = undefined;
    this.#carry = undefined;
    this.#held = Buffer.alloc(0);
  }

  /** Throws a ProtocolError for a frame beyond the limits; the stream is then of no more use. */
  push(received: Buffer): void {
    const base = this.#received - (this.#carry?.length ?? 0);
    this.#received += received.length;
    if (this.#mode !== "frames") {
      if (this.#mode === "raw") this.#handler.flow(received);
      return;
    }
    let chunk = received;
    if (this.#carry !== undefined) {
      chunk = Buffer.concat([this.#carry, received]);
      this.#carry = undefined;
    }
    let at = 0;
    let run = 0;
    if (this.#left > 0) {
      const passes = this.#passing;
      at = this.#continue(chunk);
      if (!passes) run = at;
      else if (this.#left === 0 && this.#between !== undefined) {
        this.#flow(chunk, 0, at);
        run = at;
        this.#runBetween();
      }
    }
    while (at < chunk.length && this.#reads()) {
      this.#frameAt = base + at;
      const length = this.#length(chunk, at);
      const start = at + LENGTH_BYTES;
      if (length === undefined) break;
      const end = Math.min(start + length, chunk.length);
      if (length < 0) {
        this.#mode = "raw";
        this.#handler.mac();
        break;
      }
      const verdict = this.#handler.begin(chunk.subarray(start, end), length);
      if (verdict === "more") break;
      if (verdict === "pass") {
        this.#passing = true;
        this.#left = start + length - end;
        this.#passed = 0;
        if (this.#left > 0 && this.tailFrom !== undefined) this.#keepTail(chunk, start, end);
      } else {
        this.#flow(chunk, run, at);
        run = end;
        if (end - start === length) this.#handler.frame(chunk.subarray(at, end));
        else this.#hold(chunk, at, end, length);
      }
      at = end;
    }
    if (!this.#reads()) {
      if (this.isRaw) this.#flow(chunk, run, chunk.length);
      return;
    }
    this.#flow(chunk, run, at);
    if (at < chunk.length) this.#carry = Buffer.from(chunk.subarray(at));
  }

  #runBetween(): void {
    const work = this.#between;
    this.#between = undefined;
    work?.();
  }

  /** The handler may have turned it raw, or stopped it. */
  #reads(): boolean {
    return this.#mode === "frames";
  }

  /** The length at `at`; undefined: not there yet; negative: a MAC follows. */
  #length(chunk: Buffer, at: number): number | undefined {
    if (chunk.length - at < LENGTH_BYTES) return undefined;
    const word = chunk.readUInt32BE(at);
    if (this.macs && word >= MAC_BIT) return -1;
    if (word > this.limits.maxFrameBytes) {
      throw new ProtocolError("frame-too-long", 0, `at most ${this.limits.maxFrameBytes} bytes`, `${word}`);
    }
    return word;
  }

  /** The current frame goes on at the chunk's beginning. Returns where it ends there. */
  #continue(chunk: Buffer): number {
    const n = Math.min(this.#left, chunk.length);
    this.#left -= n;
    if (this.#passing) {
      if (this.tailFrom !== undefined) this.#keepTail(chunk, 0, n);
      return n;
    }
    this.#append(chunk.subarray(0, n));
    if (this.#left === 0) {
      const frame = this.#held.subarray(0, this.#heldLength);
      this.#held = Buffer.alloc(0);
      this.#heldLength = 0;
      this.#passing = true;
      this.#handler.frame(frame);
    }
    return n;
  }

  #hold(chunk: Buffer, at: number, end: number, length: number): void {
    if (length > this.limits.maxHeldBytes) {
      const expected = `at most ${this.limits.maxHeldBytes} bytes in a message that must be read whole`;
      throw new ProtocolError("message-too-long", 0, expected, `${length}`);
    }
    this.#passing = false;
    this.#left = length - (end - at - LENGTH_BYTES);
    this.#heldLength = 0;
    this.#append(chunk.subarray(at, end));
  }

  /** Grows by doubling: the announced length alone allocates nothing. */
  #append(bytes: Buffer): void {
    const needed = this.#heldLength + bytes.length;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(Math.max(needed, this.#held.length * 2, 1024), needed + this.#left),
      );
      this.#held.copy(larger, 0, 0, this.#heldLength);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldLength);
    this.#heldLength = needed;
  }

  #keepTail(chunk: Buffer, start: number, end: number): void {
    const from = start + Math.max(0, (this.tailFrom ?? 0) - this.#passed);
    this.#passed += end - start;
    if (from < end) {
      this.#append(chunk.subarray(from, end));
      if (this.#heldLength > MAX_TAIL_BYTES) {
        throw new ProtocolError("bad-store", this.#passed, `at most ${MAX_TAIL_BYTES} bytes behind the data`, "more");
      }
    }
    if (this.#left > 0) return;
    const tail = Buffer.from(this.#held.subarray(0, this.#heldLength));
    this.#held = Buffer.alloc(0);
    this.#heldLength = 0;
    this.tailFrom = undefined;
    this.#handler.tail(tail);
  }

  #flow(chunk: Buffer, from: number, to: number): void {
    if (to > from) this.#handler.flow(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
  }
}
