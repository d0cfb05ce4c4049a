import { expect, it } from "vitest";
import type { RealSample } from "./measure.ts";
import { PATCHED_DIRECT, PATCHED_PIPE, realResults, realTable } from "./report.ts";

function samples(rates: readonly number[], toldMs: number, cpuMsPerCommit?: number): RealSample[] {
  return rates.map((commitsPerSecond) => ({ commitsPerSecond, toldMs: [toldMs, toldMs, 99], cpuMsPerCommit }));
}

/** Six turns, the last three loud. */
const WAYS = [
  { title: PATCHED_DIRECT, samples: samples([100, 101, 102, 10, 11, 12], 2) },
  { title: PATCHED_PIPE, samples: samples([80, 80, 80, 80, 80, 80], 4, 0.2) },
  { title: "ZEO 5.2.1 behind the proxy", samples: samples([60, 60, 60, 5, 5, 5], 6, 0.4) },
];

it("compares with the patched server behind the pipe, in the quiet turns", () => {
  const [direct, pipe, proxy] = realResults(WAYS);
  expect(direct?.commitsPerSecond).toMatchObject({ median: 101, min: 100, max: 102 });
  expect(pipe?.ofPatched.toldMs).toMatchObject({ median: 1, min: 1, max: 1 });
  expect(proxy?.ofPatched.commitsPerSecond).toMatchObject({ median: 0.75, min: 0.75, max: 0.75 });
  expect(proxy?.ofPatched.toldMs.median).toBe(1.5);
  expect(proxy?.cpuMsPerCommit?.median).toBe(0.4);
});

it("has a line for each way", () => {
  const lines = realTable(realResults(WAYS)).split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[3]).toMatch(
    /^ZEO 5.2.1 behind the proxy +60.0 +0.75 \[0.75 - 0.75\] +6.00 +1.50 \[1.50 - 1.50\] +0.40$/,
  );
});
