const HOUR_MS = 3_600_000;

/** What happened since the last line, and in all. */
export interface Told {
  readonly since: number;
  readonly total: number;
}

interface Entry {
  total: number;
  told: number;
  toldAtMs: number;
}

/**
 * Counts what happens to upstreams, and says when a line about it is due: at the first time, and then at most once an
 * hour for each upstream and reason. Reasons come from the program, or name a storage that the server has: there are few.
 * It has no clock: the caller passes the time.
 */
export class Hourly {
  readonly #upstreams = new Map<string, Map<string, Entry>>();

  /**
   * Counts one more.
   * @param nowMs milliseconds on a clock that never goes back
   * @returns the counts for a line, or undefined when the last line is not an hour old
   */
  count(upstream: string, reason: string, nowMs: number): Told | undefined {
    const reasons = this.#upstreams.get(upstream) ?? new Map<string, Entry>();
    this.#upstreams.set(upstream, reasons);
    const entry = reasons.get(reason) ?? { total: 0, told: 0, toldAtMs: -Infinity };
    reasons.set(reason, entry);
    entry.total += 1;
    if (nowMs - entry.toldAtMs < HOUR_MS) return undefined;
    const since = entry.total - entry.told;
    entry.told = entry.total;
    entry.toldAtMs = nowMs;
    return { since, total: entry.total };
  }
}
