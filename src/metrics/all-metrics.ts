import type { Metric } from "./metric.ts";
import { OBSERVED_METRICS } from "./observed-metrics.ts";
import { PROCESS_METRICS } from "./process-metrics.ts";
import type { Reading } from "./reading.ts";
import { STORAGE_METRICS } from "./storage-metrics.ts";
import { UPSTREAM_METRICS } from "./upstream-metrics.ts";

/** All that `/metrics` tells; docs/metrics.md has the same table for people, and a test holds it against this one. */
export const METRICS: readonly Metric<Reading>[] = [
  ...UPSTREAM_METRICS,
  ...STORAGE_METRICS,
  ...OBSERVED_METRICS,
  ...PROCESS_METRICS,
];
