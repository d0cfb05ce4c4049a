import { expect, it } from "vitest";
import { COUNTS } from "./counts.ts";
import { WATCHED } from "./watched.ts";
import { ALL, OUT_OF_SCOPE, QUICK, REFERENCE } from "./worlds.ts";

const names = ALL.map(({ name }) => name);

it("every world has a name of its own and a count, and every count a world", () => {
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(COUNTS).sort()).toEqual([...names].sort());
});

it("the quick worlds have at least a million states", () => {
  expect(QUICK.reduce((sum, name) => sum + (COUNTS[name] ?? 0), 0)).toBeGreaterThan(1_000_000);
});

it("the worlds of the reference model are here, but for those that are out of scope", () => {
  const all = [...REFERENCE.map(({ name }) => name), ...WATCHED.slice(0, 6).map(({ name }) => name), ...OUT_OF_SCOPE];
  expect(new Set(all).size).toBe(43);
});
