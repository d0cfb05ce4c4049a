import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { inSource } from "../../src/log/sources.ts";

/** What was bundled. */
const FILES = readdirSync("dist", { recursive: true, encoding: "utf8" })
  // The status page's files are served as they are.
  .filter((file) => file.endsWith(".js") && !file.startsWith("page/"))
  .map((file) => join("dist", file));

/** Where functions stand in a bundle, and what they are called; the bundler gives those a number whose names are taken. */
function functionsIn(file: string): { readonly place: string; readonly name: string }[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((text, at) => {
    const [, name] = /^(?:async )?function (\w+?)(?:\$\d+)?\(/.exec(text) ?? [];
    return name === undefined ? [] : [{ place: `${pathToFileURL(file).href}:${at + 1}:1`, name }];
  });
}

function sourceLine(file: string, line: number): string {
  return readFileSync(file, "utf8").split("\n")[line - 1] ?? "";
}

describe("a built file", () => {
  it("is one of few", () => expect(FILES.length).toBeLessThan(50));

  it("loads nothing but Node's own modules and its neighbours: a copy of dist runs by itself", () => {
    const own = new Set(builtinModules);
    const asked = FILES.flatMap((file) => {
      const code = readFileSync(file, "utf8");
      const imports = code.matchAll(
        /^(?:import|export)\b[^"'`;]*\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\("([^"]+)"\)/gm,
      );
      const required = code.matchAll(/\b__require(?:\.resolve)?\("([^"]+)"\)/g);
      return [...imports, ...required].map(([, ...names]) => names.find((name) => name !== undefined) ?? "");
    });
    expect(asked).toEqual(expect.arrayContaining(["node:net", "tty"]));
    const others = asked.filter((name) => !name.startsWith(".") && !own.has(name.replace(/^node:/, "")));
    expect(others).toEqual([]);
  });

  it("leads back to the sources: a stack tells of their files and lines", () => {
    const own = FILES.flatMap(functionsIn).flatMap(({ place, name }) => {
      const [, file, line] = /^(src\/\S+):(\d+):1$/.exec(inSource(place)) ?? [];
      return file === undefined ? [] : [{ name, said: sourceLine(file, Number(line)) }];
    });
    expect(own.length).toBeGreaterThan(500);
    expect(own.filter(({ name, said }) => !new RegExp(`function ${name}[(<]`).test(said))).toEqual([]);
  });
});
