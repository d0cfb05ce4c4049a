import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { describe, expect, it } from "vitest";
import { circles, importGraph } from "./import-graph.ts";

const sources = new Map(
  readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => [join("src", name).replaceAll(sep, "/"), readFileSync(join("src", name), "utf8")]),
);

/** The circles of made-up sources in one folder. */
function circlesOf(files: Readonly<Record<string, string>>): string[][] {
  return circles(importGraph(new Map(Object.entries(files).map(([name, text]) => [`src/${name}.ts`, text]))));
}

describe("the import graph", () => {
  it.each([
    ["imports", 'import { b } from "./b.ts";'],
    ["imports of types", 'import type { B } from "./b.ts";'],
    ["imports over several lines", 'import {\n  type B,\n  b,\n} from "./b.ts";'],
    ["exports", 'export type { B } from "./b.ts";'],
    ["exports of everything", 'export * from "./b.ts";'],
    ["imports for their effect", 'import "./b.ts";'],
    ["late imports", 'const later = async () => await import("./b.ts");'],
    ["imports of types in place", 'let one: import("./b.ts").B;'],
  ])("follows %s", (_, text) => {
    expect(circlesOf({ a: text, b: 'import type { A } from "./a.ts";' })).toEqual([["src/a.ts", "src/b.ts"]]);
  });

  it("finds a circle through a third module, and tells it from what only leads there", () => {
    const files = {
      a: 'import type { B } from "./b.ts";',
      b: 'import type { C } from "./c.ts";',
      c: 'import type { A } from "./a.ts";\nimport { D } from "./d.ts";',
      d: 'import { x } from "node:x";',
      e: 'import type { A } from "./a.ts";',
    };
    expect(circlesOf(files)).toEqual([["src/a.ts", "src/b.ts", "src/c.ts"]]);
  });

  it("keeps two circles apart, although one leads to the other", () => {
    const files = {
      a: 'import { b } from "./b.ts";\nimport { c } from "./c.ts";',
      b: 'import { a } from "./a.ts";',
      c: 'import { d } from "./d.ts";',
      d: 'import { c } from "./c.ts";',
    };
    expect(circlesOf(files)).toEqual([
      ["src/a.ts", "src/b.ts"],
      ["src/c.ts", "src/d.ts"],
    ]);
  });

  it("refuses an import that leads nowhere", () => {
    expect(() => circlesOf({ a: 'import { b } from "./b.ts";' })).toThrow("src/a.ts imports src/b.ts");
  });
});

describe("src", () => {
  const graph = importGraph(sources);

  it("is read as it is", () => {
    expect(graph.get("src/embedded/methods.ts")).toContain("src/embedded/method.ts");
    expect(graph.get("src/embedded/methods.ts")).toContain("src/embedded/vote-new.ts");
  });

  it("has no circles, of types neither", () => {
    expect(circles(graph)).toEqual([]);
  });
});
