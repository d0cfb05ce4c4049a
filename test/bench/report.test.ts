import { expect, it } from "vitest";
import { compared } from "./against.ts";
import { chart } from "./chart.ts";
import { evaluate } from "./evaluate.ts";
import { TURNS } from "./example.ts";
import { GOALS } from "./goals.ts";
import { bareTable, markdownTable } from "./markdown.ts";
import { readOptions } from "./options.ts";
import { WORKLOADS, type Workload } from "./plan.ts";
import type { Result, Run } from "./result.ts";
import { spread } from "./statistics.ts";
import { rounded, tableHead, tableRow } from "./table.ts";
import { WITNESS_RESTS, WITNESS_WORKLOADS } from "./witness/plan.ts";
import { witnessHead, witnessRow, witnessTable } from "./witness/table.ts";

const WORKLOAD: Workload = { name: "load-200-c1", title: "loads <200 B>", figure: "p50", goals: GOALS.loads };
const RESULT = evaluate(WORKLOAD, TURNS.concat(TURNS), { pipe: 80, proxy: 55.5 });

function run(...results: Result[]): Run {
  return {
    date: "2026-01-02",
    revision: "abc1234",
    node: "v20.19.0",
    haproxy: null,
    cpu: "a processor",
    cores: 2,
    pinned: "everything on core 1",
    rounds: 8,
    ms: 50,
    results,
  };
}

/** As if the proxy had taken so many times as long. */
function times(factor: number): Result {
  const ratio = RESULT.ratios["proxy:pipe"]?.figure;
  if (ratio === undefined) throw new Error("no ratio");
  const slower = spread([ratio.min * factor, ratio.max * factor]);
  return { ...RESULT, ratios: { "proxy:pipe": { figure: slower } } };
}

it("has a line for a workload, and one for each thing without a column", () => {
  const [row = "", p99, peak, ...others] = tableRow(RESULT).split("\n");
  expect(row).toContain("0.75 [0.75 - 0.75]");
  expect(row).toMatch(/CPU : HAProxy ≤ 2 MISSED$/);
  expect(p99).toMatch(/p99 +\S+ +20.0 +50.0 +60.0$/);
  expect(peak).toMatch(/peak MiB +- +80.0 +55.5$/);
  expect(others).toEqual([]);
  expect(tableHead().indexOf("CPU proxy:pipe")).toBeGreaterThan(tableHead().indexOf("proxy:pipe"));
});

it("has a line for the bare sockets, where they were measured", () => {
  const turns = TURNS.map(({ pipe, ...turn }) => (pipe === undefined ? turn : { ...turn, pipe, bare: pipe }));
  const result = evaluate(WORKLOAD, turns.concat(turns));
  const [, , bare] = tableRow(result).split("\n");
  expect(bare).toBe("  bare: 1.00, CPU 1.00 of the pipe's; the proxy 0.75, CPU 0.75 of its");
  expect(bareTable([RESULT, result]).split("\n").slice(2)).toEqual([
    "| loads <200 B> | 1.00 | 0.75 | 1.00 | 0.75 |",
    "",
  ]);
  expect(bareTable([RESULT])).toBe("");
});

it("shows as many digits as a figure is worth", () => {
  expect([0.123, 12.34, 123.4, 12_345.6, undefined, Number.NaN].map(rounded)).toEqual([
    "0.12",
    "12.3",
    "123",
    "12,346",
    "-",
    "-",
  ]);
});

it("tells what has become slower or faster beyond the spread", () => {
  const before = run(RESULT);
  expect(compared(before, run(RESULT)).join()).toContain("nothing has changed");
  expect(compared(before, run(times(1.2))).join()).toContain(
    "load-200-c1: µs, of the pipe's: 0.75 before, 0.90 now: SLOWER",
  );
  expect(compared(before, run(times(0.8))).join()).toContain("0.60 now: faster");
  const rate = { ...RESULT, lessIsBetter: false };
  expect(compared(run(rate), run({ ...times(0.8), lessIsBetter: false })).join()).toContain("SLOWER");
});

it("compares what both runs have", () => {
  expect(compared(run(), run(RESULT)).join()).toContain("nothing has changed");
  expect(compared(JSON.parse(JSON.stringify(run(RESULT))) as Run, run(RESULT)).join()).toContain("nothing has changed");
});

it("draws a bar for each ratio, and writes what they are", () => {
  const svg = chart(run(RESULT, { ...times(4), title: "slow" }, { ...RESULT, ratios: {} }));
  expect(svg).toContain("loads &lt;200 B&gt;");
  expect(svg).toContain(">0.75<");
  // Longer than the chart is wide: the bar ends at its edge.
  expect(svg).toContain(">3.00<");
  const widths = [...svg.matchAll(/width="(\d+)" height="9"/g)].map(([, width]) => Number(width));
  expect(Math.max(...widths)).toBe(460);
  expect(svg.trimEnd().endsWith("</svg>")).toBe(true);
});

it("names each workload once", () => {
  const names = [...WORKLOADS, ...WITNESS_WORKLOADS, ...WITNESS_RESTS].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

/** The proxy with a witness takes as long as HAProxy in these turns, and so much CPU time. */
function watchedTurns(...without: ("proxy" | "pipe")[]): typeof TURNS {
  return TURNS.map((turn) => {
    const { haproxy: watched, ...others } = turn;
    const left = Object.entries(others).filter(([way]) => !without.some((one) => one === way));
    return { ...Object.fromEntries(left), ...(watched === undefined ? {} : { watched }) };
  });
}

it("compares a proxy that has a witness with what is nearest to it", () => {
  const cost = evaluate(WORKLOAD, watchedTurns());
  const foreign = evaluate(WORKLOAD, watchedTurns("proxy"));
  const catchUp = evaluate(WORKLOAD, watchedTurns("proxy", "pipe"));
  expect(witnessRow(cost)).toMatch(
    /^load-200-c1 +µs +11.0 +40.0 +30.0 +20.0 +0.67 \[0.67 - 0.67\] +0.33 \[0.02 - 0.33\] of the proxy's without/,
  );
  expect(witnessRow(foreign)).toMatch(/ 20.0 +0.50 \[0.50 - 0.50\] +0.25 \[0.25 - 0.25\] of the pipe's$/);
  expect(witnessRow(catchUp)).toMatch(/ 20.0 +1.82 \[0.40 - 2.00\] +- of the direct way's$/);
  expect(witnessHead().indexOf("witness")).toBeGreaterThan(witnessHead().indexOf("pipe"));
  expect(witnessTable([cost, foreign]).split("\n").slice(2)).toEqual([
    "| loads <200 B> | µs | 11.0 | 40.0 | 30.0 | 20.0 | 0.67 | 0.33 | of the proxy's without a witness |",
    "| loads <200 B> | µs | 11.0 | 40.0 | - | 20.0 | 0.50 | 0.25 | of the pipe's |",
    "",
  ]);
  expect(witnessTable([])).toBe("");
});

it("tells what has become slower with a witness, too", () => {
  const before = evaluate(WORKLOAD, watchedTurns("proxy"));
  const figure = spread([0.9, 0.9]);
  const now = { ...before, ratios: { ...before.ratios, "watched:pipe": { figure } } };
  const [, line] = compared({ ...run(), witness: [before] }, { ...run(), witness: [now] });
  expect(line).toBe("  load-200-c1: µs, of the pipe's: 0.50 before, 0.90 now: SLOWER");
});

it("reads its options", () => {
  expect(readOptions(["--help"])).toBeUndefined();
  expect(readOptions(["--quick", "--rounds", "3"])).toMatchObject({ isQuick: true, effort: { rounds: 3, ms: 50 } });
  expect(readOptions([])).toMatchObject({ pin: "one", only: "" });
  for (const wrong of [
    ["--rounds", "0"],
    ["--ms", "x"],
    ["--pin", "two"],
    ["--rounds", "1.5"],
  ])
    expect(() => readOptions(wrong)).toThrow("npm run bench");
});

it("writes the same as a table for a document", () => {
  const lines = markdownTable([RESULT, { ...RESULT, ratios: {} }]).split("\n");
  expect(lines[2]).toBe("| loads <200 B> | µs | 10.5 | 20.0 | 40.0 | 30.0 | 0.75 | 8.00 | 6.00 | 0.75 | 1.50 | 3.00 |");
  expect(lines[3]).toContain("| - | - |");
  expect(markdownTable([])).toBe("");
});
