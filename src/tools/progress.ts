import type { Clock } from "../clock.ts";
import type { Output } from "./output.ts";

/** Who waits less than that needs no progress. */
const QUIET_MS = 1_000;
const EVERY_MS = 250;

/** What goes on, on one line of the terminal, as soon as it has taken over a second. */
export class Progress {
  readonly #output: Output;
  readonly #clock: Clock;
  #nextAt: number;
  #isShown = false;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
    this.#nextAt = clock.now() + QUIET_MS;
  }

  /** `line` is called only when it is time to show it. */
  update(line: () => string): void {
    const now = this.#clock.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + EVERY_MS;
    this.#isShown = true;
    this.#output.progress(line());
  }

  /** Takes the line away, before something else is written or at the end. */
  clear(): void {
    if (this.#isShown) this.#output.progress("");
    this.#isShown = false;
  }
}
