import type { Histogram } from "../storage/histogram.ts";

/** A number, and the values of its metric's labels, in their order. */
export interface Sample {
  readonly labels: readonly string[];
  readonly value: number | Scaled;
}

/** A histogram whose unit is so many of the metric's: 0.001 for milliseconds where seconds are told. */
export interface Scaled {
  readonly histogram: Histogram;
  readonly scale: number;
}

/** One family of metrics. `From` is what its numbers are read from. */
export interface Metric<From> {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** For people: docs/metrics.md has the same. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Its numbers now: none where there is nothing to tell. */
  readonly read: (from: From) => Iterable<Sample>;
}

export function sample(value: number | Scaled, ...labels: readonly string[]): Sample {
  return { labels, value };
}
