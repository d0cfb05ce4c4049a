/** Upper bounds in ms: from what nobody feels to what ends sessions. */
export const HOLD_BOUNDS_MS = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

/** For how long messages were held that were. Plain numbers: nothing is made for one more. */
export class HoldTimes {
  /** So many up to each bound and above the one before; the last: above all. */
  readonly counts = new Float64Array(HOLD_BOUNDS_MS.length + 1);
  sumMs = 0;

  /** One more was held for so long. */
  add(ms: number): void {
    let at = 0;
    while (at < HOLD_BOUNDS_MS.length && ms > (HOLD_BOUNDS_MS[at] as number)) at++;
    this.counts[at]!++;
    this.sumMs += ms;
  }
}
