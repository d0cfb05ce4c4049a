import type { Clock } from "../clock.ts";
import type { Output } from "./output.ts";

/** Who waits less than that needs no word of it. */
const QUIET_MS = 1_000;

/** What is waited for, on one line of the terminal, as soon as that has taken over a second; of several the newest. */
export class Waiting {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #lines = new Map<string, () => void>();
  #shown: string | undefined;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  /** `who` waits now, for nothing else. */
  begin(who: string, line: string): void {
    this.end(who);
    const cancel = this.#clock.after(QUIET_MS, () => {
      this.#shown = who;
      this.#output.progress(`${line} ...`);
    });
    this.#lines.set(who, cancel);
  }

  end(who: string): void {
    this.#lines.get(who)?.();
    this.#lines.delete(who);
    if (this.#shown !== who) return;
    this.#shown = undefined;
    this.#output.progress("");
  }

  /** Nobody waits any more. */
  stop(): void {
    for (const who of this.#lines.keys()) this.end(who);
  }
}
