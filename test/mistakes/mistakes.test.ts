import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { MISTAKES } from "./mistakes.ts";

it.each(MISTAKES)("can be planted: $name", ({ file, text, becomes }) => {
  const source = readFileSync(file, "utf8");
  expect(source.split(text)).toHaveLength(2);
  expect(becomes).not.toBe(text);
});

it("each is one of its own", () => {
  expect(new Set(MISTAKES.map(({ name }) => name)).size).toBe(MISTAKES.length);
});
