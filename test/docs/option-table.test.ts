import { describe, expect, it } from "vitest";
import { z } from "zod";
import { optionRows, withOptionTable } from "./option-table.ts";

const told = z.string().describe("what it is").meta({ change: "restart" });

/** A schema with one option more than is needed. */
function having(one: z.ZodType): z.ZodType {
  return z.strictObject({ one });
}

describe("the rows of a schema", () => {
  it("have its options in their order, with default, change and meaning", () => {
    const schema = z.strictObject({
      list: z
        .array(z.strictObject({ name: told.optional().meta({ unset: "none" }), port: told }))
        .describe("some of them")
        .meta({ change: "the upstream" }),
      map: z
        .strictObject({ "some-time": told.prefault("2s"), inner: z.strictObject({ a: told }).prefault({ a: "x" }) })
        .prefault({}),
      names: z.array(z.string()).prefault([]).describe("names").meta({ change: "at once" }),
      count: z.int().prefault(7).describe("how many").meta({ change: "at once" }),
    });
    expect(optionRows(schema).map((row) => Object.values(row).join(" - "))).toEqual([
      "list - needed - the upstream - some of them",
      "list[].name - none - restart - what it is",
      "list[].port - needed - restart - what it is",
      "map.some-time - `2s` - restart - what it is",
      "map.inner.a - needed - restart - what it is",
      "names - `[]` - at once - names",
      "count - `7` - at once - how many",
    ]);
  });

  it("have one for a map that can be left out as a whole", () => {
    const map = z
      .strictObject({ listen: told })
      .optional()
      .describe("all of it")
      .meta({ change: "restart", unset: "none" });
    expect(optionRows(having(map)).map(({ path, default: byDefault }) => [path, byDefault])).toEqual([
      ["one", "none"],
      ["one.listen", "needed"],
    ]);
  });

  it.each([
    ["no description", z.string().meta({ change: "restart" }), "one: expected a description"],
    ["no change", z.string().describe("x"), "one: expected .meta({ change }), one of at once"],
    ["a change that is none", z.string().describe("x").meta({ change: "soon" }), "one: expected .meta({ change })"],
    ["neither default nor what it is without", told.optional(), "one: expected a default, or .meta({ unset })"],
  ])("are refused where an option has %s", (_, one, message) => {
    expect(() => optionRows(having(one))).toThrow(message);
  });
});

describe("a document", () => {
  const marks = ["<!-- options: made from src/config/schema.ts by `npm run docs` -->", "<!-- /options -->"];

  it("gets its table between the marks, and keeps everything else", () => {
    const [row] = optionRows(having(told));
    if (row === undefined) throw new Error("no row");
    const document = `before\n\n${marks.join("\nold | table\n")}\n\nbehind\n`;
    const made = withOptionTable(document, [{ ...row, meaning: "a | b" }]);
    expect(made.split("\n")).toEqual([
      "before",
      "",
      marks[0],
      "",
      "| option | default | change | meaning |",
      "| --- | --- | --- | --- |",
      "| `one` | needed | restart | a \\| b |",
      "",
      marks[1],
      "",
      "behind",
      "",
    ]);
    expect(withOptionTable(made, [{ ...row, meaning: "a | b" }])).toBe(made);
  });

  it.each(["", marks[0], marks[1], marks.toReversed().join("\n")])("is refused without both marks: %j", (text = "") => {
    expect(() => withOptionTable(text, [])).toThrow("expected a line <!-- options");
  });
});
