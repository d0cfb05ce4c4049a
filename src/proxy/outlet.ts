import type { Socket } from "node:net";
import type { Encoded } from "../repair/encoder.ts";

/** What a reference to a shared announcement is counted with. */
const REFERENCE_BYTES = 64;

/** The way to a client's socket: what is queued there, and whose memory it is. */
export class Outlet {
  readonly #socket: Socket;
  readonly #shared = new Set<Encoded>();
  #sharedBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Is the client behind with reading? */
  get isSlow(): boolean {
    return this.#socket.writableNeedDrain;
  }

  write(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  announce(encoded: Encoded): void {
    if (!this.#socket.writable) return;
    const { frame } = encoded;
    if (this.#socket.write(frame, () => this.#written(encoded)) || this.#shared.has(encoded)) return;
    // It is queued: its bytes are shared by all whose queue it stands in.
    this.#shared.add(encoded);
    this.#sharedBytes += frame.length;
    encoded.holders++;
  }

  #written(encoded: Encoded): void {
    if (!this.#shared.delete(encoded)) return;
    this.#sharedBytes -= encoded.frame.length;
    encoded.holders--;
  }

  /** Does what is queued for the client, and `more`, come to more than `limit`? */
  exceeds(limit: number, more: number): boolean {
    const most = this.#socket.writableLength + this.#shared.size * REFERENCE_BYTES;
    return most + more > limit && this.queuedBytes + more > limit;
  }

  /** The client's share of the memory that is queued for it. */
  get queuedBytes(): number {
    let bytes = this.#socket.writableLength - this.#sharedBytes;
    for (const { frame, holders } of this.#shared) bytes += frame.length / holders + REFERENCE_BYTES;
    return bytes;
  }
}
