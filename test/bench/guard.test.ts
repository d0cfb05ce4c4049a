import { execFile } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { coresOf } from "./cores.ts";
import { evaluate } from "./evaluate.ts";
import { measure } from "./measure.ts";
import { WORKLOADS, type Effort } from "./plan.ts";
import { Stage } from "./rounds.ts";

/**
 * The most that the proxy may take of a plain pipe's CPU time for a message, in the same run: about twice what is measured
 * on a quiet machine, so that a busy one doesn't fail it, and what takes the slow path for every message does.
 */
const MOST = [
  { name: "batch-200-16x16", cpu: 1.8 },
  { name: "commit-8w-10", cpu: 4.2 },
  { name: "fanout-200", cpu: 2.4 },
] as const;

const EFFORT: Effort = { rounds: 8, ms: 80, warmUpMs: 800 };
const WAYS = ["direct", "pipe", "proxy"] as const;

const ROOT = new URL("../../", import.meta.url);
/** Not where the benchmark itself is compiled to: somebody else may be running that. */
const OUTPUT = fileURLToPath(new URL(".cache/bench-guard", ROOT));

const COMPILED = `${pathToFileURL(OUTPUT).href}/`;
const stage = new Stage(new URL("test/bench/", COMPILED), new URL("src/index.js", COMPILED).href);

beforeAll(async () => {
  const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", ROOT));
  const project = fileURLToPath(new URL("test/bench/tsconfig.json", ROOT));
  await promisify(execFile)(tsc, ["-p", project, "--outDir", OUTPUT]);
  await stage.start(WAYS, [], coresOf("one"));
}, 60_000);

afterAll(() => stage.stop());

it.each(MOST)("$name: at most $cpu times the CPU time that a plain pipe takes", async ({ name, cpu }) => {
  const workload = WORKLOADS.find((one) => one.name === name);
  if (workload === undefined) throw new Error(`no workload ${name}`);
  const { ratios } = evaluate(workload, await measure(stage, workload, WAYS, EFFORT));
  const ratio = ratios["proxy:pipe"]?.cpu?.median ?? Number.NaN;
  console.log(`${name}: ${ratio.toFixed(2)} of the pipe's CPU time for a message`);
  expect(ratio).toBeLessThanOrEqual(cpu);
});
