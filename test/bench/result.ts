import type { Judged } from "./goals.ts";
import type { Spread } from "./statistics.ts";
import type { RelayWay, Side, Way } from "./ways.ts";

/** How a figure of one way is to another's in the same turn. */
export interface Ratio {
  readonly figure?: Spread;
  /** Of what a client waits for, also where the figure is another one. */
  readonly p50?: Spread;
  readonly cpu?: Spread;
}

export type Pair =
  | "proxy:pipe"
  | "proxy:haproxy"
  | "pipe:haproxy"
  | "bare:pipe"
  | "proxy:bare"
  | "watched:proxy"
  | "watched:pipe"
  | "watched:direct"
  | `${Side}:proxy`;

/** What a workload came to; as it is stored. */
export interface Result {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly lessIsBetter: boolean;
  /** How many turns there were, and how many of them count. */
  readonly turns: number;
  readonly quiet: number;
  readonly figure: Partial<Record<Way, Spread>>;
  /** Over all that the quiet turns have, in the figure's unit; where it is a time. */
  readonly p99?: Partial<Record<Way, number>>;
  readonly cpuUnit: "µs/message" | "ms";
  readonly cpu: Partial<Record<RelayWay, Spread>>;
  readonly peakMiB?: Partial<Record<RelayWay, number>>;
  readonly ratios: Partial<Record<Pair, Ratio>>;
  readonly goals: readonly Judged[];
}

/** A whole run. */
export interface Run {
  readonly date: string;
  readonly revision: string;
  readonly node: string;
  readonly haproxy: string | null;
  readonly cpu: string;
  readonly cores: number;
  readonly pinned: string;
  readonly rounds: number;
  readonly ms: number;
  readonly results: readonly Result[];
  /** Of the witness; older runs have none. */
  readonly witness?: readonly Result[];
  /** Of the admin address and of TLS; older runs have none. */
  readonly sides?: readonly Result[];
}
