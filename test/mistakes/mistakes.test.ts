import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { AROUND } from "./around.ts";
import { MISTAKES } from "./mistakes.ts";

const ALL = [...MISTAKES, ...AROUND];

it.each(ALL)("can be planted: $name", ({ file, text, becomes }) => {
  const source = readFileSync(file, "utf8");
  expect(source.split(text)).toHaveLength(2);
  expect(becomes).not.toBe(text);
});

it("each is one of its own", () => {
  expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
});

it("the tests that may find them are there", () => {
  const tests = ALL.flatMap((mistake) => mistake.tests ?? []);
  expect(tests.filter((test) => !existsSync(test))).toEqual([]);
});
