import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AROUND } from "./around.ts";
import { MISTAKES, type Mistake } from "./mistakes.ts";
import { findNothing, plant, prepare } from "./orchard.ts";

const rows: string[] = [];

beforeAll(prepare);

afterAll(() => {
  console.log(`${rows.join("\n")}\n${rows.length} planted`);
});

it("the sound tree passes", () => {
  const found = findNothing(AROUND.flatMap(({ tests }) => tests ?? []));
  expect(found, JSON.stringify(found)).toBeUndefined();
});

/** By its whole name, so that `-t` finds it. */
function isFound(mistake: Mistake): void {
  it(`is found: ${mistake.name}`, () => {
    const found = plant(mistake);
    rows.push(`| ${mistake.name} | ${found === undefined ? "nobody" : `${found.by}: ${found.as}`} |`);
    expect(found, "nobody has found it").toBeDefined();
  });
}

for (const mistake of MISTAKES) isFound(mistake);

describe("around", () => {
  for (const mistake of AROUND) isFound(mistake);
});
