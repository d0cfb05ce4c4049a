import { execFile } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { coresOf } from "./cores.ts";
import { evaluate } from "./evaluate.ts";
import { measure } from "./measure.ts";
import { WORKLOADS, type Effort } from "./plan.ts";
import { Stage } from "./rounds.ts";
import { WITNESS_WORKLOADS, type WitnessWorkload } from "./witness/plan.ts";

/**
 * The most that the proxy may take of a plain pipe's CPU time for a message, in the same run: about twice what is measured
 * on a quiet machine, so that a busy one doesn't fail it, and what takes the slow path for every message does.
 */
const MOST = [
  { name: "batch-200-16x16", cpu: 1.8 },
  { name: "commit-8w-10", cpu: 4.2 },
  { name: "fanout-200", cpu: 2.4 },
] as const;

/**
 * The same of a proxy without a witness: for what is only passed on, one that has a witness does no more. (For commits that
 * takes longer to be seen than this test may take: their code must have been compiled.)
 */
const MOST_WITH_WITNESS = [
  { name: "witness-load-200-c16-new", cpu: 2.2 },
  { name: "witness-batch-200-16x16-new", cpu: 2.2 },
] as const;

const EFFORT: Effort = { rounds: 8, ms: 80, warmUpMs: 400 };
const SHORT: Effort = { rounds: 5, ms: 60, warmUpMs: 300 };
const WAYS = ["direct", "pipe", "proxy"] as const;

const ROOT = new URL("../../", import.meta.url);
/** Not where the benchmark itself is compiled to: somebody else may be running that. */
const OUTPUT = fileURLToPath(new URL(".cache/bench-guard", ROOT));

const COMPILED = `${pathToFileURL(OUTPUT).href}/`;
const newStage = (): Stage => new Stage(new URL("test/bench/", COMPILED), new URL("src/index.js", COMPILED).href);
const stage = newStage();

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

function witnessWorkload(wanted: string): WitnessWorkload {
  const found = WITNESS_WORKLOADS.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no workload ${wanted}`);
  return found;
}

async function withStage(family: "new" | "old", measuring: (one: Stage) => Promise<void>): Promise<void> {
  const one = newStage();
  onTestFinished(() => one.stop());
  await one.start(["direct", "pipe", "proxy", "watched"], [], coresOf("one"), family);
  await measuring(one);
}

it("a witness that has nothing to read takes next to nothing", () =>
  withStage("new", async (one) => {
    for (const { name, cpu } of MOST_WITH_WITNESS) {
      const { workload, ways } = witnessWorkload(name);
      const { ratios } = evaluate(workload, await measure(one, workload, ways, SHORT));
      const ratio = ratios["watched:proxy"]?.cpu?.median ?? Number.NaN;
      console.log(`${name}: ${ratio.toFixed(2)} of the CPU time without a witness`);
      expect(ratio).toBeLessThanOrEqual(cpu);
    }
  }));

it.each(["new", "old"] as const)("what is created at the %s server's own port is told whole, in time", (family) =>
  withStage(family, async (one) => {
    const { workload, ways } = witnessWorkload(`witness-foreign-1k-${family}`);
    const { figure } = evaluate(workload, await measure(one, workload, ways, SHORT));
    console.log(`${workload.name}, ${family}: told after ${figure.watched?.median.toFixed(1)} ms`);
    expect(figure.watched?.median).toBeLessThan(1_000);
  }),
);
