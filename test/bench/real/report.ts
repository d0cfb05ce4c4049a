import { spread, type Spread } from "../statistics.ts";
import { rounded, spreadText } from "../table.ts";
import { quietest } from "../turns.ts";
import type { RealSample } from "./measure.ts";

/** What a way came to; as it is stored. */
export interface RealResult {
  readonly title: string;
  readonly commitsPerSecond: Spread;
  readonly toldMs: Spread;
  readonly cpuMsPerCommit: Spread | undefined;
  /** To the patched server behind the plain pipe, inside a turn. */
  readonly ofPatched: { readonly commitsPerSecond: Spread; readonly toldMs: Spread };
}

interface Way {
  readonly title: string;
  readonly samples: readonly RealSample[];
}

const told = ({ toldMs }: RealSample): number => spread(toldMs).median;

/** What tells how quiet a turn was, and what all others are compared with: what somebody has who replaces the server. */
export const PATCHED_DIRECT = "ZEO 5.2.2, direct";
export const PATCHED_PIPE = "ZEO 5.2.2 behind the pipe";

export function realResults(ways: readonly Way[]): RealResult[] {
  const turns = quietTurns(samplesOf(ways, PATCHED_DIRECT));
  const patched = samplesOf(ways, PATCHED_PIPE);
  return ways.map(({ title, samples: all }) => {
    const samples = chosen(all, turns);
    const others = chosen(patched, turns);
    const ratio = (value: (sample: RealSample) => number): Spread =>
      spread(samples.map((sample, i) => value(sample) / value(others[i] ?? sample)));
    const cpu = samples.flatMap(({ cpuMsPerCommit }) => (cpuMsPerCommit === undefined ? [] : [cpuMsPerCommit]));
    return {
      title,
      commitsPerSecond: spread(samples.map(({ commitsPerSecond }) => commitsPerSecond)),
      toldMs: spread(samples.map(told)),
      cpuMsPerCommit: cpu.length === 0 ? undefined : spread(cpu),
      ofPatched: { commitsPerSecond: ratio(({ commitsPerSecond }) => commitsPerSecond), toldMs: ratio(told) },
    };
  });
}

function samplesOf(ways: readonly Way[], title: string): readonly RealSample[] {
  const way = ways.find((one) => one.title === title);
  if (way === undefined) throw new Error(`nobody is ${title}`);
  return way.samples;
}

/** The numbers of those in which the direct way was fastest. */
function quietTurns(direct: readonly RealSample[]): readonly number[] {
  const turns = [...direct.entries()].map(([turn, { commitsPerSecond }]) => ({ turn, slowness: 1 / commitsPerSecond }));
  return quietest(turns, ({ slowness }) => slowness).map(({ turn }) => turn);
}

function chosen(samples: readonly RealSample[], turns: readonly number[]): RealSample[] {
  return turns.flatMap((turn) => samples[turn] ?? []);
}

export function realTable(results: readonly RealResult[]): string {
  const rows = results.map(({ title, commitsPerSecond, toldMs, cpuMsPerCommit, ofPatched }) => [
    title,
    rounded(commitsPerSecond.median),
    spreadText(ofPatched.commitsPerSecond),
    rounded(toldMs.median),
    spreadText(ofPatched.toldMs),
    rounded(cpuMsPerCommit?.median),
  ]);
  const head = ["", "commits/s", "of 5.2.2 + pipe", "told, ms", "of 5.2.2 + pipe", "relay's CPU, ms/commit"];
  return [head, ...rows]
    .map((cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(28) : cell.padStart(20))).join(" "))
    .join("\n");
}
