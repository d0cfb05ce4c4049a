import type { Cores } from "./cores.ts";
import type { ScenarioName } from "./load.ts";
import type { Effort, Workload } from "./plan.ts";
import { memory } from "./process-figures.ts";
import { Stage, type Sample } from "./rounds.ts";
import { rotated, type Turn } from "./turns.ts";
import type { RelayWay, Way } from "./ways.ts";

const MIB = 0x10_0000;
const PEAK_MS = 300;

/** All turns of one workload. */
export async function measure(
  stage: Stage,
  { name, rounds, warmUps = 1 }: Workload,
  ways: readonly Way[],
  effort: Effort,
): Promise<Turn<Sample>[]> {
  for (const way of ways) await stage.prepare(name, way);
  for (const way of ways) if (way !== "direct" && way !== "haproxy") await stage.slice(way, warmUps * effort.warmUpMs);
  const turns: Turn<Sample>[] = [];
  const count = Math.min(effort.rounds, rounds ?? Infinity);
  for (let turn = 0; turn < count; turn++) {
    const slices = new Map<Way, Sample>();
    for (const way of rotated(ways, turn)) slices.set(way, await stage.slice(way, effort.ms));
    turns.push(Object.fromEntries(slices));
  }
  await stage.close();
  return turns;
}

/** The most that each relay has had resident for a workload: those of processes that have done nothing else. */
export async function peaks(
  scenario: ScenarioName,
  ways: readonly RelayWay[],
  cores: Cores,
): Promise<Partial<Record<RelayWay, number>>> {
  const stage = new Stage();
  const all: Partial<Record<RelayWay, number>> = {};
  try {
    await stage.start(ways, [], cores);
    for (const way of ways) {
      await stage.prepare(scenario, way);
      await stage.slice(way, PEAK_MS);
      const figures = memory(stage.pid(way));
      if (figures !== undefined) all[way] = figures.peakBytes / MIB;
    }
    await stage.close();
  } finally {
    await stage.stop();
  }
  return all;
}
