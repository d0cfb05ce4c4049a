import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { inSource } from "../../src/log/sources.ts";

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-sources-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A built file with this map; its address. */
function built(name: string, map?: string, at = new Date(0)): string {
  const file = join(folder, name);
  if (map !== undefined) {
    writeFileSync(`${file}.map`, map);
    utimesSync(`${file}.map`, at, at);
  }
  return pathToFileURL(file).href;
}

describe("a frame", () => {
  // Its third line, from the first column on, is line 11, column 3 of the source.
  const map = { version: 3, sources: ["../../src/ledger/release.ts"], names: [], mappings: ";;AAUE" };
  const url = built("mapped.js", JSON.stringify(map));
  const later = built("later.js", JSON.stringify(map), new Date());

  it.each([
    [`    at Storage.carryOut (${url}:3:1)`, "    at Storage.carryOut (src/ledger/release.ts:11:3)"],
    [`    at async ${url}:3:1`, "    at async src/ledger/release.ts:11:3"],
    [
      `    at eval (eval at x (${url}:3:1), ${url}:3:1)`,
      "    at eval (eval at x (src/ledger/release.ts:11:3), src/ledger/release.ts:11:3)",
    ],
  ])("%s has the source's place", (frame, expected) => expect(inSource(frame)).toBe(expected));

  it.each([
    ["a line that nothing is known of", `    at x (${url}:1:1)`],
    ["a file without a map", `    at x (${built("unmapped.js")}:3:1)`],
    ["a file that was built after the process has started", `    at x (${later}:3:1)`],
    ["a map that is none", `    at x (${built("broken.js", "{")}:3:1)`],
    ["a map of another kind", `    at x (${built("other.js", '{"version":3}')}:3:1)`],
    ["Node's own", "    at process.processTimers (node:internal/timers:529:7)"],
    ["no place", "    at new Promise (<anonymous>)"],
  ])("of %s stays as it is", (_what, frame) => {
    expect(inSource(frame)).toBe(frame);
    expect(inSource(frame)).toBe(frame);
  });
});
