import type { Codec, Envelope, InvalidationArgs } from "../wire/codec.ts";

const KEPT = 4;
/** Beyond this only the newest is kept. */
const KEPT_BYTES = 1024 * 1024;

/**
 * Reads the server's invalidations. The server sends the same bytes to every client of one dialect, so the last few
 * are remembered, and equal ones give the same object, whatever their dialect: reading, completing and encoding then
 * happen once.
 */
export class InvalidationReader {
  readonly #last: { readonly payload: Buffer; readonly args: InvalidationArgs }[] = [];

  read(codec: Codec, payload: Buffer, envelope: Envelope): InvalidationArgs {
    for (const seen of this.#last) if (seen.payload.equals(payload)) return seen.args;
    const { tid, oids } = codec.invalidation(payload, envelope);
    // Copies: what is kept for long must not pin the chunk that it came in.
    const same = this.#last.find((seen) => seen.args.tid === tid && seen.args.oids.equals(oids));
    const args = same?.args ?? { tid, oids: Buffer.from(oids) };
    this.#last.unshift({ payload: Buffer.from(payload), args });
    while (this.#last.length > KEPT || (this.#last.length > 1 && this.#bytes() > KEPT_BYTES)) this.#last.pop();
    return args;
  }

  #bytes(): number {
    return this.#last.reduce((sum, { payload }) => sum + payload.length, 0);
  }
}
