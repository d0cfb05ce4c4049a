import type { Clock } from "../clock.ts";
import type { Connection } from "./connection.ts";
import { Taking } from "./taking.ts";

/** So often it is looked at within the time that is allowed. */
const LOOKS = 4;

/** Whether a client takes anything of what waits for it. One that reads slowly is left alone, however long it takes. */
export class Stall {
  readonly #client: Connection;
  readonly #taking: Taking;
  readonly #clock: Clock;
  readonly #limits: { readonly stalledMs: number };
  readonly #stalled: () => void;
  #isWatched = false;
  #cancel: (() => void) | undefined;
  #looks = 0;

  /** `stalledMs`: `limits.stalled`, asked for at each look; then `stalled` is called, once. */
  constructor(client: Connection, clock: Clock, limits: { readonly stalledMs: number }, stalled: () => void) {
    this.#client = client;
    this.#taking = new Taking(client);
    this.#clock = clock;
    this.#limits = limits;
    this.#stalled = stalled;
  }

  /** The client is behind: is looked at until it is not. */
  watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#taking.begin();
    this.#looks = 0;
    this.#wait();
  }

  stop(): void {
    this.#isWatched = false;
    this.#cancel?.();
  }

  #wait(): void {
    this.#cancel = this.#clock.after(this.#limits.stalledMs / LOOKS, () => this.#look());
  }

  #look(): void {
    if (this.#client.isBehind) this.#taking.ask((hasTaken) => this.#looked(hasTaken));
    else this.stop();
  }

  #looked(hasTaken: boolean): void {
    if (!this.#isWatched) return;
    if (hasTaken) this.#looks = 0;
    else this.#looks++;
    if (this.#looks < LOOKS) {
      this.#wait();
      return;
    }
    this.stop();
    this.#stalled();
  }
}
