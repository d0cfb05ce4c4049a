import { TARGETS, WAYS, type Scenario, type Way } from "./plan.ts";
import type { Round, Sample } from "./rounds.ts";
import { spread, type Spread } from "./statistics.ts";

export interface Report {
  readonly lines: readonly string[];
  /** The targets that were missed. */
  readonly missed: readonly string[];
}

/** What a scenario's rounds say: medians, and the least and the most in brackets. Ratios are taken within a round. */
export function report({ title, unit, latency }: Scenario, rounds: readonly Round[]): Report {
  const lines = [title];
  const missed: string[] = [];
  const compare = (what: string, value: (sample: Sample) => number, target: number, atLeast: boolean): void => {
    const ofPipe = spread(rounds.map(({ pipe, proxy }) => value(proxy) / value(pipe)));
    const isMissed = atLeast ? ofPipe.median < target : ofPipe.median > target;
    const words = `${what} ${shown(ofPipe, 2)} of the pipe's, target ${atLeast ? "at least" : "at most"} ${target}`;
    lines.push(`  ${words}${isMissed ? "  MISSED" : ""}`);
    if (isMissed) missed.push(`${title}: ${words}`);
  };

  lines.push(`  ${WAYS.map((way) => `${way} ${shown(each(rounds, way, perSecond), 0)}`).join("   ")}  ${unit}/s`);
  const ofDirect = spread(rounds.map(({ direct, proxy }) => perSecond(proxy) / perSecond(direct)));
  if (latency) {
    lines.push(`  p99: ${WAYS.map((way) => `${way} ${shown(each(rounds, way, p99), 2)}`).join("   ")}  ms`);
    compare("p99", p99, TARGETS.p99, false);
  } else {
    lines.push(`  throughput ${shown(ofDirect, 2)} of the direct one`);
    compare("throughput", perSecond, TARGETS.throughput, true);
  }
  lines.push(
    `  relay's CPU: pipe ${shown(each(rounds, "pipe", cpu), 2)}   proxy ${shown(each(rounds, "proxy", cpu), 2)}  µs/message`,
  );
  compare("CPU per message", cpu, TARGETS.cpu, false);
  return { lines, missed };
}

function each(rounds: readonly Round[], way: Way, value: (sample: Sample) => number): Spread {
  return spread(rounds.map((round) => value(round[way])));
}

function perSecond({ measured }: Sample): number {
  return measured.amount / measured.seconds;
}

function p99({ measured }: Sample): number {
  return measured.p99Ms ?? Number.NaN;
}

function cpu({ cpuUsPerMessage }: Sample): number {
  return cpuUsPerMessage ?? Number.NaN;
}

function shown({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${min.toFixed(digits)} – ${max.toFixed(digits)}]`;
}
