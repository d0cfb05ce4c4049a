import { GOALS } from "../goals.ts";
import type { ScenarioName } from "../load.ts";
import type { Figure, Workload } from "../plan.ts";
import type { Family } from "../rounds.ts";
import type { Way } from "../ways.ts";

/** One of the benchmark's scenarios with a proxy that has a witness, before servers of one family. */
export interface WitnessWorkload {
  /** Stable, as a workload's. */
  readonly name: string;
  readonly family: Family;
  readonly ways: readonly Way[];
  readonly workload: Workload;
}

/** What is measured before both families; `quick`: in a short run, too. */
interface Part {
  readonly scenario: ScenarioName;
  readonly title: string;
  readonly figure: Figure;
  readonly ways: readonly Way[];
  readonly quick?: readonly Family[];
  readonly rounds?: number;
  readonly warmUps?: number;
}

/** Somebody commits at the server's own port: the pipe has a patched server behind it, and nothing to do but pass on. */
const FOREIGN: readonly Way[] = ["direct", "pipe", "watched"];
/** A client of the benchmark's own reads the range itself. */
const CATCH_UP: readonly Way[] = ["direct", "watched"];
/** Nothing is foreign: what does the witness take then? */
const COST: readonly Way[] = ["direct", "proxy", "watched"];

const PARTS: readonly Part[] = [
  { scenario: "foreign-10", title: "10 created elsewhere", figure: "p50", ways: FOREIGN, quick: ["new"], warmUps: 3 },
  { scenario: "foreign-1k", title: "1,000 created elsewhere", figure: "p50ms", ways: FOREIGN, warmUps: 3 },
  { scenario: "foreign-100k", title: "100,000 created elsewhere", figure: "p50ms", ways: FOREIGN, rounds: 4 },
  { scenario: "catch-up", title: "10,000 transactions missed", figure: "p50ms", ways: CATCH_UP, rounds: 5 },
  { scenario: "commit-1", title: "commits of 1 object, 1 writer", figure: "p50", ways: COST, warmUps: 6 },
  {
    scenario: "commit-10",
    title: "commits of 10 objects, 1 writer",
    figure: "p50",
    ways: COST,
    warmUps: 6,
    quick: ["old"],
  },
  { scenario: "commit-8w-10", title: "commits of 10 objects, 8 writers", figure: "commits", ways: COST, warmUps: 6 },
  { scenario: "fanout-200", title: "200 observers are told", figure: "p50", ways: COST, warmUps: 6 },
  { scenario: "load-200-c16", title: "loads of 200 B, 16 clients", figure: "p50", ways: COST, quick: ["new"] },
  { scenario: "batch-200-16x16", title: "200 B, 16 clients, 16 at a time", figure: "loads", ways: COST },
];

export const WITNESS_WORKLOADS: readonly WitnessWorkload[] = (["new", "old"] as const).flatMap((family) =>
  PARTS.map((part) => madeOf(part, family)),
);

function madeOf({ scenario, title, figure, ways, quick = [], rounds, warmUps }: Part, family: Family): WitnessWorkload {
  return {
    name: `witness-${scenario}-${family}`,
    family,
    ways,
    workload: {
      name: scenario,
      title: `${title}, ${family} server`,
      figure,
      goals: GOALS.none,
      ...(quick.includes(family) ? { isQuick: true } : {}),
      ...(rounds === undefined ? {} : { rounds }),
      ...(warmUps === undefined ? {} : { warmUps }),
    },
  };
}

/** Nobody says anything. */
export interface WitnessRest {
  readonly name: string;
  readonly family: Family;
}

export const WITNESS_RESTS: readonly WitnessRest[] = [
  { name: "witness-rest-new", family: "new" },
  { name: "witness-rest-old", family: "old" },
];
