import type { Cores } from "../cores.ts";
import { memory } from "../process-figures.ts";
import type { Result } from "../result.ts";
import { Stage, type Family } from "../rounds.ts";
import { spread } from "../statistics.ts";
import type { RelayWay } from "../ways.ts";

const WAYS: readonly RelayWay[] = ["proxy", "watched"];
const ROUNDS = 4;
const SLICE_MS = 2_000;
const KIB = 1024;

/** What the proxy takes in a second in which nobody says anything: processor time, and the memory that it has by then. */
export async function atRest(family: Family, cores: Cores): Promise<readonly Result[]> {
  const stage = new Stage();
  const cpu = new Map<RelayWay, number[]>(WAYS.map((way) => [way, []]));
  const kib = new Map<RelayWay, number>();
  try {
    await stage.start(WAYS, [], cores, family);
    for (const way of WAYS) await stage.prepare("rest", way);
    for (let round = 0; round <= ROUNDS; round++) {
      for (const way of WAYS) {
        const { cpuUsPerMessage } = await stage.slice(way, SLICE_MS);
        // The first ones have begun as connections were made.
        if (round > 0 && cpuUsPerMessage !== undefined) cpu.get(way)?.push(cpuUsPerMessage);
      }
    }
    for (const way of WAYS) kib.set(way, (memory(stage.pid(way))?.residentBytes ?? Number.NaN) / KIB);
    await stage.close();
  } finally {
    await stage.stop();
  }
  const server = `${family} server`;
  return [
    resultOf(`witness-rest-${family}`, `nobody says anything, ${server}`, "CPU, µs/s", cpu),
    resultOf(
      `witness-memory-${family}`,
      `resident in all, ${server}`,
      "KiB",
      new Map([...kib].map(([way, one]) => [way, [one]])),
    ),
  ];
}

/** Not as ratios: of nearly nothing there is no useful one. */
function resultOf(name: string, title: string, unit: string, values: ReadonlyMap<RelayWay, readonly number[]>): Result {
  const known = [...values].filter(([, some]) => some.length > 0);
  return {
    name,
    title,
    unit,
    lessIsBetter: true,
    turns: ROUNDS,
    quiet: ROUNDS,
    figure: Object.fromEntries(known.map(([way, some]) => [way, spread(some)])),
    cpuUnit: "ms",
    cpu: {},
    ratios: {},
    goals: [],
  };
}
