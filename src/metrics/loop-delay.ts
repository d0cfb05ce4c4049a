import { Histogram } from "../storage/histogram.ts";

/** Upper bounds in ms. What is less than a timer's own grain says nothing. */
export const LOOP_BOUNDS_MS = [2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

const EVERY_MS = 20;

/**
 * How late the event loop comes to what is due: fifty times a second it is looked. (What `perf_hooks` has for that knows
 * quantiles since the process began, of which nobody can tell what the last minutes were like.)
 */
export class LoopDelay {
  readonly delaysMs = new Histogram(LOOP_BOUNDS_MS);
  readonly #timer: NodeJS.Timeout;
  #due = performance.now() + EVERY_MS;

  /** It begins at once, and keeps no process running. */
  constructor() {
    this.#timer = setInterval(() => this.#look(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.delaysMs.add(Math.max(0, now - this.#due));
    this.#due = now + EVERY_MS;
  }
}
