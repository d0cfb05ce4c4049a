import { FrameStream, LENGTH_BYTES, type FrameHandler, type Verdict } from "../../src/wire/frame.ts";

export type Seen = { readonly flow: string } | { readonly frame: string } | { readonly tail: string } | "mac";

const BOUNDED = { maxBytes: 200_000, what: "a message of that kind" };

/**
 * Payloads of these tests say themselves what is to become of them: the first byte is `P` (pass), `H` (hold), `T` (pass,
 * and the tail is wanted from the offset in the third byte on), `S` (hold, and stop), `R` (hold, and turn raw), `X` (hold,
 * and exchange the handler), `B` (hold, with a bound of its own), `Y` (exchange the handler, and pass), `E` (pass but for so many last bytes as the third byte
 * says), `W` (wait while `waits`, then pass). The second byte is there to make a head of one byte
 * too short.
 */
export class Recorder implements FrameHandler {
  stream: FrameStream | undefined;
  other: FrameHandler | undefined;
  waits = false;
  readonly seen: Seen[] = [];
  /** Slices of one chunk that flowed. */
  flows = 0;

  /** So often it was asked what becomes of a frame. */
  asked = 0;

  begin(head: Buffer, length: number): Verdict {
    this.asked++;
    if (head.length < Math.min(3, length)) return "more";
    const kind = String.fromCharCode(head[0] ?? 0);
    if (kind === "T") return head[2] ?? 0;
    if (kind === "E") return { endBytes: head[2] ?? 0 };
    if (kind === "W" && this.waits) return "wait";
    if (kind === "Y") this.#exchange();
    if (kind === "B") return BOUNDED;
    return "HSRX".includes(kind) ? "hold" : "pass";
  }

  flow(bytes: Buffer): void {
    this.flows++;
    const last = this.seen.at(-1);
    const text = bytes.toString("latin1");
    // What counts is the bytes and what comes between them.
    if (last !== undefined && last !== "mac" && "flow" in last)
      this.seen[this.seen.length - 1] = { flow: last.flow + text };
    else this.seen.push({ flow: text });
  }

  frame(frame: Buffer): void {
    this.seen.push({ frame: frame.toString("latin1") });
    const kind = frame[LENGTH_BYTES];
    if (kind === 0x53) this.stream?.stop();
    if (kind === 0x52) this.stream?.turnRaw();
    if (kind === 0x58) this.#exchange();
  }

  #exchange(): void {
    if (this.stream !== undefined && this.other !== undefined) this.stream.handler = this.other;
  }

  mac(): void {
    this.seen.push("mac");
  }

  ending(bytes: Buffer): void {
    this.seen.push({ frame: bytes.toString("latin1") });
  }

  tail(bytes: Buffer): void {
    this.seen.push({ tail: bytes.toString("latin1") });
  }
}

export const LIMITS = { maxFrameBytes: 1_000_000, maxHeldBytes: 100_000 };

export function recorder(limits = LIMITS): { handler: Recorder; stream: FrameStream } {
  const handler = new Recorder();
  const stream = new FrameStream(handler, limits);
  handler.stream = stream;
  return { handler, stream };
}

/** The bytes before a payload that is so long. */
export function lengthOf(value: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function frameOf(payload: string): Buffer {
  return Buffer.concat([lengthOf(payload.length), Buffer.from(payload, "latin1")]);
}

/** Pushes these bytes in pieces of this length. */
export function pushAll(stream: FrameStream, bytes: Buffer, size: number): void {
  for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size));
}

/** What a stream tells of these bytes when they come in pieces of the given lengths (the last takes the rest). */
export function run(bytes: Buffer, pieces: readonly number[], macs = false): Seen[] {
  const { handler, stream } = recorder();
  stream.macs = macs;
  let at = 0;
  for (const length of [...pieces, bytes.length]) {
    if (at < bytes.length) stream.push(bytes.subarray(at, at + length));
    at += length;
  }
  // A tail is told before the last part that it stands in has flowed: where depends on the pieces.
  return handler.seen;
}

/** Bytes in all, and handler calls in order, without where exactly a tail is told. */
export function summary(seen: readonly Seen[]): unknown {
  const bytes = seen
    .map((one) => (one === "mac" || "tail" in one ? "" : "flow" in one ? one.flow : `[${one.frame}]`))
    .join("");
  return { bytes, tails: tailsOf(seen), macs: seen.filter((one) => one === "mac").length };
}

/** All bytes that flowed or were handed over. */
export function bytesOf(seen: readonly Seen[]): string {
  return seen.map((one) => (one === "mac" || "tail" in one ? "" : "flow" in one ? one.flow : one.frame)).join("");
}

export function tailsOf(seen: readonly Seen[]): Seen[] {
  return seen.filter((one) => one !== "mac" && "tail" in one);
}
