import { expect, it } from "vitest";
import { evaluate } from "./evaluate.ts";
import { sampleOf, TURNS } from "./example.ts";
import { GOALS } from "./goals.ts";
import type { Workload } from "./plan.ts";

const LOADS: Workload = { name: "load-200-c1", title: "loads", figure: "p50", goals: GOALS.loads };
const BATCHES: Workload = { name: "batch-200-1x64", title: "batches", figure: "loads", goals: GOALS.batches };

it("takes ratios inside a turn, and leaves out the loud half of the turns", () => {
  const { turns, quiet, figure, ratios, cpu } = evaluate(BATCHES, TURNS.concat(TURNS));
  expect([turns, quiet]).toEqual([8, 4]);
  expect(figure.proxy).toMatchObject({ median: 275, min: 275, max: 275 });
  expect(ratios["proxy:pipe"]?.figure?.median).toBeCloseTo(1.1);
  expect(ratios["proxy:pipe"]?.cpu?.median).toBeCloseTo(0.75);
  expect(ratios["pipe:haproxy"]?.p50?.median).toBeCloseTo(2);
  expect(cpu.haproxy?.median).toBe(2);
});

it("has times in the unit of the workload, their 99th percentile over all quiet turns", () => {
  const { figure, p99, unit } = evaluate(LOADS, TURNS.concat(TURNS));
  expect(unit).toBe("µs");
  expect(figure.pipe?.median).toBeCloseTo(40);
  expect(p99?.proxy).toBeCloseTo(60);
});

it("says which goals are met", () => {
  expect(evaluate(LOADS, TURNS.concat(TURNS)).goals).toEqual([
    { words: "figure ≤ 0.85", measured: 0.75, isMet: true },
    { words: "CPU ≤ 0.9", measured: 0.75, isMet: true },
    { words: "p50 : HAProxy ≤ 1.5", measured: 1.5, isMet: true },
    { words: "CPU : HAProxy ≤ 2", measured: 3, isMet: false },
  ]);
});

it("says nothing of a way that was not taken", () => {
  const turns = [{ direct: sampleOf([1], 1), pipe: sampleOf([2], 1, 1), proxy: sampleOf([2], 1, 1) }];
  const { figure, ratios, goals } = evaluate(LOADS, turns);
  expect(Object.keys(figure)).toEqual(["direct", "pipe", "proxy"]);
  expect(ratios["proxy:haproxy"]).toEqual({});
  expect(goals.map(({ words }) => words)).toEqual(["figure ≤ 0.85", "CPU ≤ 0.9"]);
});

it("judges a peak of memory", () => {
  const goals = evaluate({ ...BATCHES, goals: GOALS.blobs }, TURNS, { proxy: 61, pipe: 80 }).goals;
  expect(goals.at(-1)).toEqual({ words: "peak MiB ≤ 60", measured: 61, isMet: false });
});
