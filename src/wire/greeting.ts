import { LENGTH_BYTES } from "./frame.ts";
import { MAX_HANDSHAKE_BYTES, protocolNamed, type Protocol } from "./handshake.ts";

/** What the first bytes of a server are. */
export type Greeted =
  /** Its first frame has not come whole. */
  | { readonly kind: "more" }
  /** Not the name of a protocol that is known here. */
  | { readonly kind: "unknown" }
  /** `newest`: the newest protocol that it speaks; `rest`: what came behind the frame. */
  | { readonly kind: "greeted"; readonly newest: Protocol; readonly rest: Buffer };

const MORE: Greeted = { kind: "more" };
const UNKNOWN: Greeted = { kind: "unknown" };

/** The first frame of a server: the newest protocol that it speaks. */
export class Greeting {
  #bytes: Buffer = Buffer.alloc(0);

  /** Keeps nothing of `chunk`. */
  push(chunk: Buffer): Greeted {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#bytes.length < LENGTH_BYTES) return MORE;
    const length = this.#bytes.readUInt32BE(0);
    if (length === 0 || length > MAX_HANDSHAKE_BYTES) return UNKNOWN;
    const end = LENGTH_BYTES + length;
    if (this.#bytes.length < end) return MORE;
    const newest = protocolNamed(this.#bytes.subarray(LENGTH_BYTES, end));
    return newest === undefined ? UNKNOWN : { kind: "greeted", newest, rest: this.#bytes.subarray(end) };
  }
}
