import type { Clock } from "../clock.ts";
import type { Connection } from "./connection.ts";

/** So often it is looked at within the time that is allowed. */
const LOOKS = 4;

/** Whether a client takes anything of what waits for it. One that reads slowly is left alone, however long it takes. */
export class Stall {
  readonly #client: Connection;
  readonly #clock: Clock;
  readonly #stalledMs: number;
  readonly #stalled: () => void;
  #cancel: (() => void) | undefined;
  #progress = 0;
  #looks = 0;

  /** `stalledMs`: `limits.stalled`; then `stalled` is called, once. */
  constructor(client: Connection, clock: Clock, stalledMs: number, stalled: () => void) {
    this.#client = client;
    this.#clock = clock;
    this.#stalledMs = stalledMs;
    this.#stalled = stalled;
  }

  /** The client is behind: is looked at until it is not. */
  watch(): void {
    if (this.#cancel !== undefined) return;
    this.#progress = this.#client.progress;
    this.#looks = 0;
    this.#wait();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(): void {
    this.#cancel = this.#clock.after(this.#stalledMs / LOOKS, () => this.#look());
  }

  #look(): void {
    this.#cancel = undefined;
    const { isBehind, progress } = this.#client;
    if (!isBehind) return;
    if (progress === this.#progress) this.#looks++;
    else this.#looks = 0;
    this.#progress = progress;
    if (this.#looks < LOOKS) this.#wait();
    else this.#stalled();
  }
}
