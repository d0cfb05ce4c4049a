import { expect, it } from "vitest";
import { coresIn, coresOf } from "./cores.ts";
import { memoryIn, runTime } from "./process-figures.ts";

it("reads which cores a process may use", () => {
  expect(coresIn("Name:\tnode\nCpus_allowed:\tf\nCpus_allowed_list:\t0-2,5\n")).toEqual([0, 1, 2, 5]);
  expect(coresIn("Cpus_allowed_list:\t3\n")).toEqual([3]);
  expect(coresIn("Name:\tnode\n")).toEqual([]);
});

it("puts nothing before a command that may run anywhere", () => {
  expect(coresOf("none")).toMatchObject({ ends: [], relays: [] });
});

it("reads what a thread has run, and what a process has resident", () => {
  expect(runTime("301579232 6670306 139\n")).toBe(301_579_232);
  expect(memoryIn("VmHWM:\t   51200 kB\nVmRSS:\t   40960 kB\n")).toEqual({
    residentBytes: 41_943_040,
    peakBytes: 52_428_800,
  });
});
