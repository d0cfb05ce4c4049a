import { GOALS } from "../goals.ts";
import type { ScenarioName } from "../load.ts";
import type { Figure, Workload } from "../plan.ts";

/** What the admin address and TLS take, each beside the proxy without, in the same turns. */
const PARTS: readonly { scenario: ScenarioName; title: string; figure: Figure; isQuick?: true; warmUps?: number }[] = [
  { scenario: "load-200-c16", title: "loads of 200 B, 16 clients", figure: "p50", isQuick: true },
  { scenario: "batch-4k-16x16", title: "4 kB, 16 clients, 16 at a time", figure: "loads" },
  { scenario: "blob-down", title: "blob to the client", figure: "MiB" },
  { scenario: "commit-8w-10", title: "commits of 10 objects, 8 writers", figure: "commits", warmUps: 6 },
  { scenario: "fanout-200", title: "200 observers are told", figure: "p50", warmUps: 6 },
];

export interface SideWorkload {
  /** Stable, as a workload's. */
  readonly name: string;
  readonly workload: Workload;
}

export const SIDE_WORKLOADS: readonly SideWorkload[] = PARTS.map(({ scenario, ...rest }) => ({
  name: `sides-${scenario}`,
  workload: { name: scenario, goals: GOALS.none, ...rest },
}));

/** In each slice one scrape. */
export const SLICE_MS = 1_000;
/** As many times fewer of them: one is twenty times as long as elsewhere. */
export const FEWER_ROUNDS = 4;
