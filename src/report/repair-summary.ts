import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Happening } from "../happening/happening.ts";
import { tidHex, type Tid } from "../wire/ids.ts";
import { addedCounts } from "./repair.ts";

const MINUTE_MS = 60_000;

/** What was repaired in one storage since the last line about it. */
interface Summary {
  /** Of observed sessions: it would have been. */
  readonly isObserved: boolean;
  readonly upstream: string;
  readonly storage: string;
  readonly since: number;
  /** The lowest and the highest tid. */
  first: Tid;
  last: Tid;
  transactions: number;
  created: number;
  restored: number;
  deleted: number;
  completed: number;
  synthesized: number;
  /** `getInvalidations` replies. */
  resumed: number;
}

/** Writes one line for all that was repaired in a storage, a minute after the first of it and when it is told to. */
export class RepairSummary {
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** By upstream and storage; those in which something was repaired since the last lines. */
  #summaries = new Map<string, Summary>();
  #cancelTimer: (() => void) | undefined;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  read(happening: Happening): void {
    if (happening.what === "observed") this.#read(happening.happening, true);
    else this.#read(happening, false);
  }

  #read(happening: Happening, isObserved: boolean): void {
    if (happening.what === "repaired") {
      const { tid, completed, synthesized } = happening.settled;
      const { created, restored, deleted } = addedCounts(happening.settled);
      const summary = this.#of(happening, isObserved, tid);
      summary.transactions++;
      summary.created += created;
      summary.restored += restored;
      summary.deleted += deleted;
      summary.completed += completed;
      summary.synthesized += synthesized;
    } else if (happening.what === "resumed" && happening.tid !== undefined) {
      this.#of(happening, isObserved, happening.tid).resumed++;
    }
  }

  /** Writes what there is to be told now. */
  tell(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const summaries = this.#summaries;
    this.#summaries = new Map();
    for (const { isObserved, since, first, last, ...counts } of summaries.values()) {
      const durationMs = this.#clock.now() - since;
      const fields = { ...counts, first: tidHex(first), last: tidHex(last), durationMs };
      this.#logger.info(fields, isObserved ? "invalidations would be repaired" : "invalidations repaired");
    }
  }

  #of(
    { upstream, storage }: { readonly upstream: string; readonly storage: string },
    isObserved: boolean,
    tid: Tid,
  ): Summary {
    // Both may hold any character: the length says where the one ends.
    const key = `${isObserved} ${upstream.length} ${upstream}${storage}`;
    const summary = this.#summaries.get(key) ?? this.#newSummary(upstream, storage, isObserved, tid);
    this.#summaries.set(key, summary);
    if (tid < summary.first) summary.first = tid;
    if (tid > summary.last) summary.last = tid;
    return summary;
  }

  #newSummary(upstream: string, storage: string, isObserved: boolean, tid: Tid): Summary {
    this.#cancelTimer ??= this.#clock.after(MINUTE_MS, () => this.tell());
    const counts = { transactions: 0, created: 0, restored: 0, deleted: 0, completed: 0, synthesized: 0, resumed: 0 };
    return { upstream, storage, isObserved, since: this.#clock.now(), first: tid, last: tid, ...counts };
  }
}
