import type { Seconds } from "./messages.ts";

/** So many seconds are kept. */
export const TIMELINE_SECONDS = 600;

/** What happened in each of the last seconds. A second in which nothing did costs nothing. */
export class Timeline {
  readonly #commits = new Uint32Array(TIMELINE_SECONDS);
  readonly #repairs = new Uint32Array(TIMELINE_SECONDS);
  readonly #observed = new Uint32Array(TIMELINE_SECONDS);
  readonly #held = new Float64Array(TIMELINE_SECONDS);
  /** The newest of them. */
  #second: number;

  constructor(nowMs: number) {
    this.#second = secondOf(nowMs);
  }

  committed(nowMs: number): void {
    const at = this.#at(nowMs);
    this.#commits[at] = (this.#commits[at] ?? 0) + 1;
  }

  repaired(nowMs: number): void {
    const at = this.#at(nowMs);
    this.#repairs[at] = (this.#repairs[at] ?? 0) + 1;
  }

  /** It would have been repaired. */
  observed(nowMs: number): void {
    const at = this.#at(nowMs);
    this.#observed[at] = (this.#observed[at] ?? 0) + 1;
  }

  /** A message was held for so long, in ms. */
  held(heldMs: number, nowMs: number): void {
    const at = this.#at(nowMs);
    if (heldMs > (this.#held[at] ?? 0)) this.#held[at] = heldMs;
  }

  /**
   * The whole seconds from that one on, as far as they are kept, in seconds since 1970. Those before
   * the start are empty.
   */
  since(second: number, nowMs: number): Seconds {
    this.#at(nowMs);
    const from = Math.max(second, this.#second - TIMELINE_SECONDS + 1);
    const seconds = Array.from({ length: Math.max(0, this.#second - from) }, (_, i) => (from + i) % TIMELINE_SECONDS);
    const of = (values: Uint32Array | Float64Array): number[] => seconds.map((at) => values[at] ?? 0);
    const repaired = { repairs: of(this.#repairs), observed: of(this.#observed) };
    return { from, commits: of(this.#commits), ...repaired, held: of(this.#held) };
  }

  /** Where that moment's second is kept; those in between are empty. A clock that is set back stays in the newest one. */
  #at(nowMs: number): number {
    const second = secondOf(nowMs);
    for (let next = Math.max(this.#second + 1, second - TIMELINE_SECONDS + 1); next <= second; next++) {
      const at = next % TIMELINE_SECONDS;
      this.#commits[at] = this.#repairs[at] = this.#observed[at] = this.#held[at] = 0;
    }
    if (second > this.#second) this.#second = second;
    return this.#second % TIMELINE_SECONDS;
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000);
}
