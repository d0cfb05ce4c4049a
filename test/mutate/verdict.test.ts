import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EQUIVALENT, type Equivalent } from "./equivalent.ts";
import { keyOf, type Mutant } from "./mutant.ts";
import { holds, ROOMS } from "./rooms.ts";
import { judge, scoreOf } from "./verdict.ts";

it.each(EQUIVALENT)("$file has the line that is listed: $line", ({ file, line, text, becomes }) => {
  const lines = readFileSync(file, "utf8").split("\n");
  expect(lines.map((one) => one.trim())).toContain(line);
  expect(line).toContain(text);
  expect(becomes).not.toBe(text);
  expect(ROOMS.some(({ files }) => files.some((pattern) => holds(pattern, file)))).toBe(true);
});

it("each is listed once, with a reason", () => {
  expect(new Set(EQUIVALENT.map(keyOf)).size).toBe(EQUIVALENT.length);
  for (const { why } of EQUIVALENT) expect(why).not.toBe("");
});

describe("what is said of a run", () => {
  const file = "src/a.ts";
  const made = (becomes: string, fate: Mutant["fate"]): Mutant => ({
    file,
    lineNumber: 1,
    line: "x > 1",
    text: ">",
    becomes,
    fate,
  });
  const listed = (becomes: string): Equivalent => ({ file, line: "x > 1", text: ">", becomes, why: "so" });
  const of = (mutants: readonly Mutant[], list: readonly Equivalent[] = []) => judge(mutants, [file], list);

  it("counts what is found, by a failure or since it does not end, among those that could be", () => {
    const mutants = [made("a", "killed"), made("b", "endless"), made("c", "survived"), made("d", "survived")];
    const { sum, survivors, idle } = of([...mutants, made("e", "void")], [listed("d")]);
    expect(sum).toEqual({ mutants: 4, found: 2, listed: 1 });
    expect(survivors).toEqual([mutants[2]]);
    expect(idle).toEqual([]);
    expect(scoreOf(sum).toFixed(1)).toBe("66.7");
  });

  it("names what is listed and does not occur, or is found", () => {
    expect(of([made("a", "killed")], [listed("a")]).idle).toEqual([expect.stringContaining("is found")]);
    expect(of([made("a", "killed")], [listed("b")]).idle).toEqual([expect.stringContaining("does not occur")]);
  });

  it("says nothing of what is listed for files that were not mutated", () => {
    expect(judge([], [], [listed("a")]).idle).toEqual([]);
  });

  it("takes two equal lines for one: that one of them survives is enough", () => {
    expect(of([made("a", "killed"), made("a", "survived")], [listed("a")])).toMatchObject({ idle: [], survivors: [] });
  });
});
