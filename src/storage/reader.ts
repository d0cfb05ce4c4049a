import type { Codec, Envelope, InvalidationArgs } from "../wire/codec.ts";
import { LENGTH_BYTES } from "../wire/frame.ts";
import { wordAt } from "../wire/words.ts";

const KEPT = 4;
/** Beyond this only the newest is kept. */
const KEPT_BYTES = 1024 * 1024;

/** A message that was read, in memory that is nobody else's. */
export interface Seen {
  /** With its length. */
  readonly frame: Buffer;
  readonly envelope: Envelope;
  readonly args: InvalidationArgs;
}

/**
 * Reads the server's invalidations. The server sends the same bytes to every client of one dialect, so the last few
 * are remembered, and equal ones give the same object, whatever their dialect: reading, completing and encoding then
 * happen once, and what waits for many clients stands in memory once.
 */
export class InvalidationReader {
  readonly #last: { readonly payload: Buffer; readonly seen: Seen }[] = [];

  /** The message that begins at `at`, with its length, if one of the last few had the same bytes. */
  seenAt(chunk: Buffer, at: number): Seen | undefined {
    if (chunk.length - at < LENGTH_BYTES) return undefined;
    const length = wordAt(chunk, at);
    for (const { seen } of this.#last) {
      const { frame } = seen;
      const end = at + frame.length;
      if (wordAt(frame, 0) === length && end <= chunk.length && frame.compare(chunk, at, end) === 0) return seen;
    }
    return undefined;
  }

  /** `payload` is that of `frame`. */
  read(codec: Codec, frame: Buffer, payload: Buffer, envelope: Envelope): Seen {
    for (const last of this.#last) if (last.payload.equals(payload)) return last.seen;
    const { tid, oids } = codec.invalidation(payload, envelope);
    // Copies: what is kept for long must not pin the chunk that it came in.
    const same = this.#last.find(({ seen: { args } }) => args.tid === tid && args.oids.equals(oids));
    const args = same?.seen.args ?? { tid, oids: Buffer.from(oids) };
    const own = Buffer.from(frame);
    const seen = { frame: own, envelope, args };
    this.#last.unshift({ payload: own.subarray(frame.length - payload.length), seen });
    while (this.#last.length > KEPT || (this.#last.length > 1 && this.#bytes() > KEPT_BYTES)) this.#last.pop();
    return seen;
  }

  #bytes(): number {
    return this.#last.reduce((sum, { payload }) => sum + payload.length, 0);
  }
}
