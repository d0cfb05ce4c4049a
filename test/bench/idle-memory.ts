import type { Cores } from "./cores.ts";
import { judge, GOALS } from "./goals.ts";
import { memory } from "./process-figures.ts";
import type { Ratio, Result } from "./result.ts";
import { Stage } from "./rounds.ts";
import { spread } from "./statistics.ts";
import type { RelayWay } from "./ways.ts";

/** What is to be collected is collected meanwhile. */
const REST_MS = 1_000;

export type IdleName = "idle-2k" | "idle-10k";

const WANTED: Readonly<Record<IdleName, number>> = { "idle-2k": 2_000, "idle-10k": 10_000 };

/** The memory that a connection takes for which nothing is to do, in relays that have done nothing else. */
export async function idleMemory(name: IdleName, ways: readonly RelayWay[], cores: Cores): Promise<Result> {
  const stage = new Stage();
  const kib = new Map<RelayWay, number>();
  let connections = 0;
  try {
    await stage.start(ways, [], cores);
    for (const way of ways) {
      await stage.prepare(name, way);
      const before = memory(stage.pid(way))?.residentBytes ?? Number.NaN;
      const { measured } = await stage.slice(way, REST_MS);
      const after = memory(stage.pid(way))?.residentBytes ?? Number.NaN;
      connections = measured.amount;
      kib.set(way, (after - before) / connections / 1024);
      await stage.close();
    }
  } finally {
    await stage.stop();
  }
  if (connections < WANTED[name]) {
    console.log(`${name}: ${connections} CONNECTIONS ONLY, the limit of open files allows no more here`);
  }
  return resultOf(name, connections, kib);
}

function resultOf(name: IdleName, connections: number, kib: ReadonlyMap<RelayWay, number>): Result {
  const ratio = (above: RelayWay, below: RelayWay): Ratio => {
    const [a, b] = [kib.get(above), kib.get(below)];
    return a === undefined || b === undefined ? {} : { figure: spread([a / b]) };
  };
  const ratios = {
    "proxy:pipe": ratio("proxy", "pipe"),
    "proxy:haproxy": ratio("proxy", "haproxy"),
    "pipe:haproxy": ratio("pipe", "haproxy"),
  };
  return {
    name,
    title: `memory for each of ${connections.toLocaleString("en-US")} idle connections`,
    unit: "KiB",
    lessIsBetter: true,
    turns: 1,
    quiet: 1,
    figure: Object.fromEntries([...kib].map(([way, value]) => [way, spread([value])])),
    cpuUnit: "ms",
    cpu: {},
    ratios,
    goals: judge(GOALS.idle, { lessIsBetter: true, figure: ratios["proxy:pipe"].figure?.median }),
  };
}
