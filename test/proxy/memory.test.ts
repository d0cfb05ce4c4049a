import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import type { ScenarioName } from "../bench/load.ts";
import { Stage } from "../bench/rounds.ts";

/*
 * Resident memory can only be measured on real processes: those of the benchmark, which moves the same traffic through a
 * plain pipe and through the proxy.
 */

const MIB = 0x10_0000;
const ROOT = new URL("../../", import.meta.url);
const COMPILED = new URL(".cache/bench/", ROOT);

/**
 * Garbage that nobody has collected yet differs by tens of MiB from one run to the next, on both sides; what is needed
 * doesn't. A small young generation has it collected sooner; where the machine is busy that may still be too late, so what is
 * needed is the least of some runs.
 */
const COLLECT_EARLY = ["--max-semi-space-size=1"];
const RUNS = 3;

beforeAll(async () => {
  const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", ROOT));
  await promisify(execFile)(tsc, ["-p", fileURLToPath(new URL("test/bench/tsconfig.json", ROOT))]);
}, 60_000);

/** The most resident memory, in MiB, that a fresh process of each kind has had at the end of the traffic. */
async function peaks(scenario: ScenarioName): Promise<{ pipe: number; proxy: number }> {
  const stage = new Stage(new URL("test/bench/", COMPILED), new URL("src/index.js", COMPILED).href);
  try {
    await stage.start(["pipe", "proxy"], COLLECT_EARLY);
    await stage.sample(scenario, "pipe", 0);
    await stage.sample(scenario, "proxy", 0);
    return { pipe: (await stage.peakBytes("pipe")) / MIB, proxy: (await stage.peakBytes("proxy")) / MIB };
  } finally {
    await stage.stop();
  }
}

describe("resident memory above a plain pipe's for the same traffic", () => {
  it.each([
    { scenario: "gib-down", what: "a frame of 1 GiB to the client", mib: 32 },
    { scenario: "gib-up", what: "a frame of 1 GiB to the server", mib: 32 },
    { scenario: "million", what: "a transaction of a million created objects", mib: 64 },
  ] as const)(
    "$what: at most $mib MiB",
    async ({ scenario, mib }) => {
      let least = Infinity;
      for (let run = 0; run < RUNS && least > mib; run++) {
        const { pipe, proxy } = await peaks(scenario);
        console.log(`${scenario}: pipe ${pipe.toFixed(1)} MiB, proxy ${proxy.toFixed(1)} MiB`);
        least = Math.min(least, proxy - pipe);
      }
      expect(least).toBeLessThanOrEqual(mib);
    },
    RUNS * 60_000,
  );
});
