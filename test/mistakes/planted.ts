import { afterAll, beforeAll, expect, it } from "vitest";
import { MISTAKES } from "./mistakes.ts";
import { findNothing, plant, prepare } from "./orchard.ts";

const rows: string[] = [];

beforeAll(prepare);

afterAll(() => {
  console.log(`${rows.join("\n")}\n${rows.length} planted`);
});

it("the sound tree passes", () => {
  const found = findNothing();
  expect(found, JSON.stringify(found)).toBeUndefined();
});

for (const mistake of MISTAKES) {
  // By its whole name, so that `-t` finds it.
  it(`is found: ${mistake.name}`, () => {
    const found = plant(mistake);
    rows.push(`| ${mistake.name} | ${found === undefined ? "nobody" : `${found.by}: ${found.as}`} |`);
    expect(found, "nobody has found it").toBeDefined();
  });
}
