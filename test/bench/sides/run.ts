import type { Cores } from "../cores.ts";
import { evaluate } from "../evaluate.ts";
import { measure } from "../measure.ts";
import type { Effort } from "../plan.ts";
import type { Result } from "../result.ts";
import { Stage } from "../rounds.ts";
import { SIDES, type Way } from "../ways.ts";
import { FEWER_ROUNDS, SLICE_MS, type SideWorkload } from "./plan.ts";

const WAYS: readonly Way[] = ["direct", "proxy", ...SIDES];

/** All of them, with the same processes. */
export async function* sided(workloads: readonly SideWorkload[], effort: Effort, cores: Cores): AsyncIterable<Result> {
  if (workloads.length === 0) return;
  const stage = new Stage();
  const slices = { ...effort, ms: SLICE_MS, rounds: Math.ceil(effort.rounds / FEWER_ROUNDS) };
  try {
    await stage.start(WAYS, [], cores);
    for (const { name, workload } of workloads) {
      yield { ...evaluate(workload, await measure(stage, workload, WAYS, slices)), name };
    }
  } finally {
    await stage.stop();
  }
}
