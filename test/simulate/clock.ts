import type { Clock } from "../../src/clock.ts";
import type { Planned, Timeline } from "./timeline.ts";

/** When every world begins. */
const START_MS = 1_800_000_000_000;

/** The clock of one subject: simulated time, and a list of what is still to come. */
export class SimClock implements Clock {
  readonly #timeline: Timeline;
  readonly #pending = new Set<Planned>();
  #stopped = false;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  now(): number {
    return START_MS + Math.floor(this.#timeline.now / 1000);
  }

  after(ms: number, work: () => void): () => void {
    if (this.#stopped) return () => undefined;
    const planned = this.#timeline.plan(Math.max(0, ms) * 1000, () => {
      this.#pending.delete(planned);
      work();
    });
    this.#pending.add(planned);
    return () => {
      planned.work = undefined;
      this.#pending.delete(planned);
    };
  }

  /** How many timers are running. */
  get pending(): number {
    return this.#pending.size;
  }

  /** The process that had it is gone. */
  kill(): void {
    this.#stopped = true;
    for (const planned of this.#pending) planned.work = undefined;
    this.#pending.clear();
  }
}
