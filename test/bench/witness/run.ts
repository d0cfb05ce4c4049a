import type { Cores } from "../cores.ts";
import { evaluate } from "../evaluate.ts";
import { measure } from "../measure.ts";
import type { Effort } from "../plan.ts";
import type { Result } from "../result.ts";
import { Stage, type Family } from "../rounds.ts";
import type { Way } from "../ways.ts";
import { atRest } from "./at-rest.ts";
import type { WitnessRest, WitnessWorkload } from "./plan.ts";

const WAYS: readonly Way[] = ["direct", "pipe", "proxy", "watched"];

/** All of them, those of a family one after the other with the same processes. */
export async function* watched(
  workloads: readonly WitnessWorkload[],
  rests: readonly WitnessRest[],
  effort: Effort,
  cores: Cores,
): AsyncIterable<Result> {
  for (const family of ["new", "old"] as const) {
    const some = workloads.filter((one) => one.family === family);
    if (some.length > 0) yield* before(family, some, effort, cores);
  }
  for (const { family } of rests) yield* await atRest(family, cores);
}

async function* before(
  family: Family,
  workloads: readonly WitnessWorkload[],
  effort: Effort,
  cores: Cores,
): AsyncIterable<Result> {
  const stage = new Stage();
  try {
    await stage.start(WAYS, [], cores, family);
    for (const { name, workload, ways } of workloads) {
      yield { ...evaluate(workload, await measure(stage, workload, ways, effort)), name };
    }
  } finally {
    await stage.stop();
  }
}
