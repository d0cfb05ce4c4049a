import { LENGTH_BYTES } from "../wire/frame.ts";
import { MAX_HANDSHAKE_BYTES, protocolNamed, type Protocol } from "../wire/handshake.ts";

/** What the server's first frame leads to. */
export type Greeted =
  /** It has not come whole. */
  | { readonly kind: "more" }
  /** It is no name of a protocol that could be answered, or of none with iteration. */
  | { readonly kind: "unknown" }
  /** `answer` is the protocol in force when it is sent; `rest` is what came behind the frame. */
  | { readonly kind: "greeted"; readonly answer: Protocol; readonly rest: Buffer };

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
    const answer = answerTo(this.#bytes.subarray(LENGTH_BYTES, end));
    return answer === undefined ? UNKNOWN : { kind: "greeted", answer, rest: this.#bytes.subarray(end) };
  }
}

const Z5 = protocolNamed(Buffer.from("Z5"));

/**
 * What such a server is answered. An old one speaks no other name than its own and those before it. A new one takes `Z5`
 * whichever it announces (ZEO 5.2.1 and 6.2 `asyncio/server.py`, `finish_connection`), and what applications put into a
 * transaction's extension can't be sent in msgpack.
 */
function answerTo(name: Buffer): Protocol | undefined {
  const greeted = protocolNamed(name);
  if (greeted === undefined) return undefined;
  // Iteration came with Z309, as versions went (ZODB3 3.9 `ZEO/StorageServer.py`).
  if (greeted.family === "old") return greeted.versions ? undefined : greeted;
  return Z5;
}
