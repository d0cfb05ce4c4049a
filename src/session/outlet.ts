import type { Repair } from "../ledger/state.ts";
import type { Encoded } from "../storage/encoder.ts";
import type { Connection } from "./connection.ts";

/** What a reference to a shared announcement is counted with. */
const REFERENCE_BYTES = 64;

/** The way to a client: what is queued there, and whose memory it is. */
export class Outlet {
  /** Invalidations that were written and that the proxy has changed or made. */
  readonly announced: Record<Repair, number> = { completed: 0, synthesized: 0, late: 0 };
  readonly #client: Connection;
  #isShut = false;
  /** Something was written since the client was last seen not to be behind. */
  #isWritten = false;
  #sharedBytes = 0;
  /** None yet: most clients are never behind. */
  #shared: Set<Encoded> | undefined;

  constructor(client: Connection) {
    this.#client = client;
  }

  /** Nothing more is written to the client. */
  shut(): void {
    this.#isShut = true;
  }

  get isShut(): boolean {
    return this.#isShut;
  }

  /** Is the client behind with reading? */
  get isSlow(): boolean {
    if (this.#isShut || !this.#isWritten) return false;
    this.#isWritten = this.#client.isBehind;
    return this.#isWritten;
  }

  write(bytes: Buffer): void {
    if (this.#isShut) return;
    this.#isWritten = true;
    this.#client.write(bytes);
  }

  announce(encoded: Encoded, repair: Repair): void {
    if (this.#isShut) return;
    this.#isWritten = true;
    this.announced[repair]++;
    const { frame } = encoded;
    if (this.#client.write(frame, () => this.#written(encoded))) return;
    // It is queued: its bytes are shared by all whose queue it stands in.
    this.#shared ??= new Set();
    this.#shared.add(encoded);
    this.#sharedBytes += frame.length;
    encoded.holders++;
  }

  #written(encoded: Encoded): void {
    if (this.#shared?.delete(encoded) !== true) return;
    this.#sharedBytes -= encoded.frame.length;
    encoded.holders--;
  }

  /** The client's share of the memory that is queued for it. */
  get queuedBytes(): number {
    let bytes = this.#client.queuedBytes - this.#sharedBytes;
    for (const { frame, holders } of this.#shared ?? []) bytes += frame.length / holders + REFERENCE_BYTES;
    return bytes;
  }
}
