import { ProtocolError } from "./errors.ts";
import { Gathered } from "./gathered.ts";
import { wordAt } from "./words.ts";

/** Bytes of the length before every payload, big-endian. */
export const LENGTH_BYTES = 4;

/** Old sides set it when 20 bytes of HMAC follow the length (ZEO 4.3.1 `zrpc/smac.py`). */
const MAC_BIT = 0x80000000;

const NOTHING = Buffer.alloc(0);

/** A store's arguments behind its data: a version or file name, and the transaction id. */
const MAX_TAIL_BYTES = 64 * 1024;

/** A payload with its length before it. */
export function framed(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + payload.length);
  frame.writeUInt32BE(payload.length);
  payload.copy(frame, LENGTH_BYTES);
  return frame;
}

/** What to do with a frame. */
export type Verdict =
  /** The head is too short to tell. Not allowed when the frame is whole. */
  | "more"
  /** Its bytes flow on as they come. */
  | "pass"
  /** It is handed over whole, and does not flow on by itself; it has at most `FrameLimits.maxHeldBytes`. */
  | "hold"
  /** The same with a bound of its own. */
  | Hold
  /** It passes, and its tail is handed over: the payload from this offset on. */
  | number
  /** What has passed before it is to flow first; then it is asked for once more. */
  | "flush"
  /** Nobody can tell yet: nothing behind it is looked at until `again`. */
  | "wait"
  /** It passes but for its last bytes, which are handed over in its stead when they are whole. */
  | Ending;

/** A constant of whoever says it: nothing is made for each frame. */
export interface Ending {
  /** So many bytes of the payload, which is longer. */
  readonly endBytes: number;
}

/** How much may be held of one frame. A constant of whoever says it: nothing is made for each frame. */
export interface Hold {
  /** Of the payload. `limits.frame` bounds it, too. */
  readonly maxBytes: number;
  /** The kind of message, for people. */
  readonly what: string;
}

function isHold(verdict: Verdict): verdict is Hold {
  return typeof verdict === "object" && "maxBytes" in verdict;
}

/** The payload's length where a whole frame begins at `at`; -1 where it does not, or has more than `maxBytes`. */
export function wholeFrame(chunk: Buffer, at: number, maxBytes: number): number {
  if (chunk.length - at < LENGTH_BYTES) return -1;
  // A length with the highest bit is none (see `MAC_BIT`).
  const length = wordAt(chunk, at);
  return length >= 0 && length <= maxBytes && at + LENGTH_BYTES + length <= chunk.length ? length : -1;
}

/**
 * What it is given can be a view of the chunk that was pushed, a held frame too that lies whole inside one. What it keeps
 * it must copy, unless whoever pushes never writes into a chunk again.
 */
export interface FrameHandler {
  /** The payload's first bytes, all of them when `head.length === length`. */
  begin(head: Buffer, length: number): Verdict;
  /** Bytes that flow on, lengths included: whole frames, or parts of one. */
  flow(bytes: Buffer): void;
  /**
   * A frame that was held, with its length prefix, and its payload alone. `isView`: it is a part of the chunk, not in
   * memory of its own.
   */
  frame(frame: Buffer, payload: Buffer, isView: boolean): void;
  /** Where `macs` are known: a frame has one, so the stream has turned raw, and its bytes flow on behind this call. */
  mac?(): void;
  /** The tail that `begin` asked for, before the last part of the frame flows on. Empty if the payload ends before it. */
  tail?(bytes: Buffer): void;
  /** The last bytes of a frame whose beginning has flowed on; they do not flow by themselves. */
  ending?(bytes: Buffer): void;
  /**
   * How far whole frames pass from `at` on at whose beginnings nobody need look: where the first other one begins. Their
   * payloads have at most `maxBytes`.
   */
  skim?(chunk: Buffer, at: number, maxBytes: number): number;
  /**
   * Does it know the whole frame that begins at `at`, since it has read the same bytes before? Then it says how long it is, 0
   * otherwise, and `known` is called for it behind what stands before it: it is not asked for its beginning.
   */
  knows?(chunk: Buffer, at: number): number;
  /** That frame has come, and does not flow on by itself. */
  known?(): void;
  /** Would `begin` say `wait` once more of the frame that waits? Asked often, so that this must cost little. */
  stillWaits?(): boolean;
}

export interface FrameLimits {
  /** The longest payload. */
  readonly maxFrameBytes: number;
  /** The longest payload that is held, where the verdict has no bound of its own. */
  readonly maxHeldBytes: number;
}

/**
 * Splits a byte stream into frames without copying: a run of passing frames in one chunk flows on as one slice of it.
 * Bytes of a frame whose head is still too short, frames that are held, and tails are all that is ever kept, as copies.
 */
export class FrameStream {
  // First what is looked at for each chunk: of many clients nothing is in the processor's caches when one of them says something.
  #mode: "frames" | "raw" | "stopped" = "frames";
  #waits = false;
  #carry: Buffer | undefined;
  /** Payload bytes of the current frame that have not come yet. */
  #left = 0;
  #received = 0;
  /** Of the current frame; and of the next one. */
  #handler: FrameHandler;
  #next: FrameHandler;
  #maxFrameBytes = 0;
  #frameAt = 0;
  #passing = true;
  /** Does the stream know frames with a MAC (old protocols)? Then one turns it raw. */
  macs = false;
  /** Where in the passing frame's payload its tail begins, if it is wanted; then also how much of the payload has come. */
  #tailFrom: number | undefined;
  #passed = 0;
  /** So many of the passing frame's last bytes are kept back. */
  #endBytes = 0;
  #between: (() => void)[] | undefined;
  /** What has come of a frame that is held, or of a tail. */
  readonly #held = new Gathered();
  #maxHeldBytes = 0;

  /** `start`: so many bytes of the stream came before the first frame; only counted. */
  constructor(handler: FrameHandler, limits: FrameLimits, start = 0) {
    this.#handler = handler;
    this.#next = handler;
    this.limits = limits;
    this.#received = start;
  }

  /** May change between frames. */
  set limits({ maxFrameBytes, maxHeldBytes }: FrameLimits) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#maxHeldBytes = maxHeldBytes;
  }

  get handler(): FrameHandler {
    return this.#next;
  }

  /** From the next frame on, also in the chunk that is being read; the current frame stays with the one that began it. */
  set handler(handler: FrameHandler) {
    this.#next = handler;
  }

  /** Has a frame flowed on in part? Nothing may be written between its parts. */
  get midFrame(): boolean {
    return this.#left > 0 && this.#passing;
  }

  /** Would the stream end inside a frame if it ended now? (Nobody knows what stands behind one that waits.) */
  get truncated(): boolean {
    return this.#left > 0 || (this.#carry !== undefined && !this.#waits);
  }

  /** Does nobody look at the next frame until `again`? */
  get waits(): boolean {
    return this.#waits;
  }

  /** Memory of what is kept of the stream, in bytes. */
  get keptBytes(): number {
    return this.#held.capacity + (this.#carry?.length ?? 0);
  }

  /** Looks once more at the frame that waits, unless it still does. */
  again(): void {
    if (!this.#waits || this.#handler.stillWaits?.() === true) return;
    this.#waits = false;
    this.push(NOTHING);
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

  /** Runs `work` now, or as soon as the frame that has flowed on in part has ended, behind what waits already. */
  between(work: () => void): void {
    if (!this.midFrame) work();
    else if (this.#between === undefined) this.#between = [work];
    else this.#between.push(work);
  }

  /** Nothing is looked at any more. What was kept back flows on. */
  turnRaw(): void {
    if (this.#mode !== "frames") return;
    this.#mode = "raw";
    this.#waits = false;
    this.#between = undefined;
    const held = this.#held.take();
    const carry = this.#carry;
    this.#carry = undefined;
    this.#left = 0;
    // Else it is a tail, and has flowed.
    const isKept = !this.#passing || this.#endBytes > 0;
    this.#endBytes = 0;
    if (isKept) this.#flow(held, 0, held.length);
    if (carry !== undefined) this.#next.flow(carry);
  }

  /** Nothing is read or handed on any more, not even the rest of the current chunk. */
  stop(): void {
    this.#mode = "stopped";
    this.#waits = false;
    this.#between = undefined;
    this.#carry = undefined;
    this.#held.take();
  }

  /**
   * Nothing keeps `received` when this has returned. Throws a ProtocolError for a frame beyond the limits; the stream is
   * then of no more use.
   */
  push(received: Buffer): void {
    const base = this.#received - (this.#carry?.length ?? 0);
    this.#received += received.length;
    if (this.#mode !== "frames") {
      if (this.#mode === "raw") this.#next.flow(received);
      return;
    }
    if (this.#waits) {
      this.#carry = Buffer.concat([this.#carry ?? NOTHING, received]);
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
      const passes = this.#passing && this.#endBytes === 0;
      at = this.#endBytes > 0 ? this.#passEnding(chunk, 0, 0) : this.#continue(chunk);
      if (!passes) run = at;
      else if (this.#left === 0 && this.#between !== undefined) {
        this.#flow(chunk, 0, at);
        run = at;
        this.#runBetween();
      }
    }
    while (at < chunk.length && this.#reads()) {
      run = this.#takeOver(chunk, run, at);
      if (!this.#reads()) break;
      if (this.#handler.skim !== undefined) {
        at = this.#handler.skim(chunk, at, this.#maxFrameBytes);
        this.#frameAt = base + at;
        if (at === chunk.length) break;
      } else this.#frameAt = base + at;
      const known = this.#handler.knows?.(chunk, at) ?? 0;
      if (known > 0) {
        this.#flow(chunk, run, at);
        at += known;
        run = at;
        this.#handler.known?.();
        continue;
      }
      const length = this.#length(chunk, at);
      const start = at + LENGTH_BYTES;
      if (length === undefined) break;
      const end = Math.min(start + length, chunk.length);
      if (length < 0) {
        this.#mode = "raw";
        this.#handler.mac?.();
        break;
      }
      const head = chunk.subarray(start, end);
      const verdict = this.#handler.begin(head, length);
      if (verdict === "more") break;
      if (verdict === "flush") {
        this.#flow(chunk, run, at);
        run = at;
        continue;
      }
      if (verdict === "wait") {
        this.#waits = true;
        break;
      }
      if (verdict === "hold" || isHold(verdict)) {
        this.#flow(chunk, run, at);
        run = at;
        if (!this.#reads()) break;
        run = end;
        this.#mayHold(length, verdict);
        if (end - start === length) this.#handler.frame(part(chunk, at, end), head, true);
        else this.#hold(chunk, at, end, length);
      } else if (typeof verdict === "object") {
        this.#flow(chunk, run, at);
        run = end;
        this.#passing = true;
        this.#left = length;
        this.#endBytes = verdict.endBytes;
        this.#passEnding(chunk, at, start);
      } else {
        this.#passing = true;
        this.#left = start + length - end;
        if (verdict !== "pass") {
          this.#tailFrom = verdict;
          this.#passed = 0;
          this.#readTail(verdict, chunk, start, end);
        }
      }
      at = end;
    }
    if (this.#reads()) {
      this.#flow(chunk, run, at);
      run = at;
    }
    if (this.#reads()) {
      if (at < chunk.length) this.#carry = Buffer.from(chunk.subarray(at));
    } else if (this.isRaw) {
      run = this.#takeOver(chunk, run, at);
      this.#flow(chunk, run, chunk.length);
    }
  }

  /** Another handler begins at `at`. Returns from where on bytes have still to flow. */
  #takeOver(chunk: Buffer, run: number, at: number): number {
    if (this.#next === this.#handler) return run;
    this.#flow(chunk, run, at);
    this.#handler = this.#next;
    return at;
  }

  #runBetween(): void {
    const all = this.#between;
    this.#between = undefined;
    for (const work of all ?? []) work();
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
    if (word > this.#maxFrameBytes) {
      throw new ProtocolError("frame-too-long", 0, `at most ${this.#maxFrameBytes} bytes`, `${word}`);
    }
    return word;
  }

  /** The current frame goes on at the chunk's beginning. Returns where it ends there. */
  #continue(chunk: Buffer): number {
    const n = Math.min(this.#left, chunk.length);
    this.#left -= n;
    if (this.#passing) {
      if (this.#tailFrom !== undefined) this.#readTail(this.#tailFrom, chunk, 0, n);
      return n;
    }
    this.#held.add(chunk.subarray(0, n), this.#left);
    if (this.#left === 0) {
      this.#passing = true;
      const frame = this.#held.take();
      this.#handler.frame(frame, frame.subarray(LENGTH_BYTES), false);
    }
    return n;
  }

  /**
   * The frame whose last bytes are kept back goes on in the chunk: its payload at `start`, and what flows before that at
   * `from`. Returns where it ends there.
   */
  #passEnding(chunk: Buffer, from: number, start: number): number {
    const end = Math.min(start + this.#left, chunk.length);
    const kept = Math.max(start, Math.min(end, start + this.#left - this.#endBytes));
    this.#left -= end - start;
    this.#flow(chunk, from, kept);
    if (!this.#reads()) return end;
    this.#held.add(chunk.subarray(kept, end), this.#left);
    if (this.#left > 0) return end;
    this.#endBytes = 0;
    this.#handler.ending?.(this.#held.take());
    if (this.#between !== undefined) this.#runBetween();
    return end;
  }

  #mayHold(length: number, verdict: Hold | "hold"): void {
    const maxBytes = verdict === "hold" ? this.#maxHeldBytes : verdict.maxBytes;
    if (length <= maxBytes) return;
    const what = verdict === "hold" ? "a message that must be read whole" : verdict.what;
    throw new ProtocolError("message-too-long", 0, `at most ${maxBytes} bytes in ${what}`, `${length}`);
  }

  #hold(chunk: Buffer, at: number, end: number, length: number): void {
    this.#passing = false;
    this.#left = length - (end - at - LENGTH_BYTES);
    this.#held.add(chunk.subarray(at, end), this.#left);
  }

  /** The chunk has the passing frame's payload from `start` to `end`. */
  #readTail(tailFrom: number, chunk: Buffer, start: number, end: number): void {
    const from = Math.min(end, start + Math.max(0, tailFrom - this.#passed));
    this.#passed += end - start;
    if (this.#held.length + end - from > MAX_TAIL_BYTES) {
      throw new ProtocolError("bad-store", this.#passed, `at most ${MAX_TAIL_BYTES} bytes behind the data`, "more");
    }
    let tail = chunk.subarray(from, end);
    if (this.#left > 0 || this.#held.length > 0) this.#held.add(tail, this.#left);
    if (this.#left > 0) return;
    if (this.#held.length > 0) tail = this.#held.take();
    this.#tailFrom = undefined;
    this.#handler.tail?.(tail);
  }

  #flow(chunk: Buffer, from: number, to: number): void {
    if (to > from) this.#handler.flow(part(chunk, from, to));
  }
}

/** Nearly always all of it: nothing is made then. */
function part(chunk: Buffer, from: number, to: number): Buffer {
  return from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to);
}
