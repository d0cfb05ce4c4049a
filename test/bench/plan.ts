import { GOALS, type Goals } from "./goals.ts";
import type { ScenarioName } from "./load.ts";

/** What is compared: `p50` and `p50ms` how long one thing takes, in µs and ms, the others how much is done in a second. */
export type Figure = "p50" | "p50ms" | "loads" | "commits" | "MiB";

export interface Workload {
  /** Stable: stored results are compared by it. */
  readonly name: ScenarioName;
  readonly title: string;
  readonly figure: Figure;
  readonly goals: Goals;
  readonly isQuick?: true;
  /** How much resident memory does the relay take for it? */
  readonly hasPeak?: true;
  /** At most so many turns: one takes long. */
  readonly rounds?: number;
  /** So many times the usual warm-up: it runs much code, and each of it seldom. A site's proxy runs for weeks. */
  readonly warmUps?: number;
}

const { loads, batches, bytes, blobs, commits, fanOut, created, none } = GOALS;

export const WORKLOADS: readonly Workload[] = [
  { name: "load-200-c1", title: "loads of 200 B, 1 client", figure: "p50", goals: loads, isQuick: true },
  { name: "load-200-c16", title: "loads of 200 B, 16 clients", figure: "p50", goals: loads, isQuick: true },
  { name: "load-200-c256", title: "loads of 200 B, 256 clients", figure: "p50", goals: loads },
  { name: "load-4k-c1", title: "loads of 4 kB, 1 client", figure: "p50", goals: loads },
  { name: "load-4k-c16", title: "loads of 4 kB, 16 clients", figure: "p50", goals: loads },
  { name: "load-4k-c256", title: "loads of 4 kB, 256 clients", figure: "p50", goals: loads },
  { name: "batch-200-1x64", title: "200 B, 1 client, 64 at a time", figure: "loads", goals: batches },
  { name: "batch-200-16x16", title: "200 B, 16 clients, 16 at a time", figure: "loads", goals: batches, isQuick: true },
  { name: "batch-200-256x4", title: "200 B, 256 clients, 4 at a time", figure: "loads", goals: batches },
  { name: "batch-4k-16x16", title: "4 kB, 16 clients, 16 at a time", figure: "loads", goals: batches, isQuick: true },
  { name: "load-1m", title: "loads of 1 MiB", figure: "MiB", goals: bytes, isQuick: true },
  {
    name: "blob-down",
    title: "blob to the client",
    figure: "MiB",
    goals: blobs,
    warmUps: 5,
    hasPeak: true,
    isQuick: true,
  },
  {
    name: "blob-up",
    title: "blob to the server",
    figure: "MiB",
    goals: blobs,
    warmUps: 5,
    hasPeak: true,
    isQuick: true,
  },
  { name: "commit-1", title: "commits of 1 object, 1 writer", figure: "commits", goals: commits, warmUps: 10 },
  {
    name: "commit-10",
    title: "commits of 10 objects, 1 writer",
    figure: "commits",
    goals: commits,
    warmUps: 10,
    isQuick: true,
  },
  { name: "commit-1000", title: "commits of 1,000 objects, 1 writer", figure: "commits", goals: commits, warmUps: 10 },
  { name: "commit-8w-1", title: "commits of 1 object, 8 writers", figure: "commits", goals: commits, warmUps: 10 },
  {
    name: "commit-8w-10",
    title: "commits of 10 objects, 8 writers",
    figure: "commits",
    goals: commits,
    warmUps: 10,
    isQuick: true,
  },
  {
    name: "commit-8w-1000",
    title: "commits of 1,000 objects, 8 writers",
    figure: "commits",
    goals: commits,
    warmUps: 10,
  },
  { name: "fanout-10", title: "10 observers are told", figure: "p50", goals: fanOut, warmUps: 10 },
  { name: "fanout-200", title: "200 observers are told", figure: "p50", goals: fanOut, warmUps: 10, isQuick: true },
  { name: "fanout-2000", title: "2,000 observers are told", figure: "p50", goals: fanOut, warmUps: 10 },
  {
    name: "fanout-2000-1k",
    title: "2,000 observers are told of 1,000 objects",
    figure: "p50",
    goals: fanOut,
    rounds: 10,
  },
  { name: "reads-commits", title: "loads during commits", figure: "p50", goals: none, warmUps: 10, isQuick: true },
  { name: "created-100k", title: "100,000 created, 10 observers", figure: "p50ms", goals: created, rounds: 8 },
  { name: "created-1m", title: "1,000,000 created, 50 observers", figure: "p50ms", goals: created, rounds: 3 },
];

export interface Effort {
  /** How many turns, each with a slice of so many ms for every way. */
  readonly rounds: number;
  readonly ms: number;
  /** For how long the relays that Node compiles as they run work before that. */
  readonly warmUpMs: number;
}

export const FULL: Effort = { rounds: 30, ms: 50, warmUpMs: 1_000 };
export const QUICK: Effort = { rounds: 8, ms: 50, warmUpMs: 300 };
