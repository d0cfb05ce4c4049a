import type { ScenarioName } from "./load.ts";

/** What is between the clients and the server. */
export type Way = "direct" | "pipe" | "proxy";
export const WAYS: readonly Way[] = ["direct", "pipe", "proxy"];

export interface Scenario {
  readonly name: ScenarioName;
  readonly title: string;
  /** What is counted in a second. */
  readonly unit: "loads" | "MiB" | "commits";
  /** Is it about the time that a read takes, and not about how much is done? */
  readonly latency?: true;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: "loads-1-1", title: "small loads, 1 client, one at a time", unit: "loads" },
  { name: "loads-1-16", title: "small loads, 1 client, 16 in flight", unit: "loads" },
  { name: "loads-16-1", title: "small loads, 16 clients, one at a time", unit: "loads" },
  { name: "loads-16-16", title: "small loads, 16 clients, 16 in flight", unit: "loads" },
  { name: "frame-down", title: "64 MiB to the client in one frame", unit: "MiB" },
  { name: "frame-up", title: "64 MiB to the server in one frame", unit: "MiB" },
  { name: "chunks-down", title: "64 MiB blob to the client in chunks", unit: "MiB" },
  { name: "chunks-up", title: "64 MiB blob to the server in chunks", unit: "MiB" },
  { name: "commits", title: "commits of 10 objects, 200 observers", unit: "commits" },
  { name: "reads", title: "reads during commits, 200 observers", unit: "loads", latency: true },
];

/** The least part of the pipe's throughput, and the most of its CPU time per message and of its p99. */
export const TARGETS = { throughput: 0.9, cpu: 1.25, p99: 1.5 } as const;

/** How often everything is measured, and for how long; one round before that is not counted. */
export interface Effort {
  readonly rounds: number;
  readonly ms: number;
}

export const FULL: Effort = { rounds: 5, ms: 500 };
export const QUICK: Effort = { rounds: 3, ms: 100 };
