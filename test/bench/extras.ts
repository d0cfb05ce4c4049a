import type { Cores } from "./cores.ts";
import { idleMemory } from "./idle-memory.ts";
import type { Result } from "./result.ts";
import type { RelayWay } from "./ways.ts";
import { startOfCheck, startOfRun } from "./start-up.ts";

/** What is measured with processes of its own, and not in turns. */
export interface Extra {
  readonly name: string;
  readonly isQuick: boolean;
  readonly isFull: boolean;
  readonly measure: (ways: readonly RelayWay[], cores: Cores) => Promise<Result>;
}

const STARTS = 3;

export const EXTRAS: readonly Extra[] = [
  { name: "idle-2k", isQuick: true, isFull: false, measure: (ways, cores) => idleMemory("idle-2k", ways, cores) },
  { name: "idle-10k", isQuick: false, isFull: true, measure: (ways, cores) => idleMemory("idle-10k", ways, cores) },
  { name: "start-check", isQuick: true, isFull: true, measure: (ways, cores) => startOfCheck(STARTS, ways, cores) },
  { name: "start-run", isQuick: true, isFull: true, measure: (_ways, cores) => startOfRun(STARTS, cores) },
];
