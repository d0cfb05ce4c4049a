/** How many of what was measured were how large. Plain numbers: nothing is made for one more. */
export class Histogram {
  /** Growing. */
  readonly bounds: readonly number[];
  /** So many up to each bound and above the one before; the last: above all. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** One more. */
  add(value: number): void {
    const { bounds } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    this.counts[at]!++;
    this.sum += value;
  }

  /** All that another one with the same bounds has. */
  addAll({ counts, sum }: Histogram): void {
    for (let at = 0; at < counts.length; at++) this.counts[at]! += counts[at] as number;
    this.sum += sum;
  }
}
