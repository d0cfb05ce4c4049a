import { readFileSync, writeFileSync } from "node:fs";
import type { Family } from "./worlds.ts";

/**
 * How many states each world has, in a file for each family of servers. A world that has fewer than it says there has lost
 * some of what can happen in it, and fails. All were walked through in whole; `npm run explore:counts` does that again and
 * writes the files anew.
 */
const FILES: Readonly<Record<Family, URL>> = {
  old: new URL("counts-old.json", import.meta.url),
  new: new URL("counts-new.json", import.meta.url),
};

type Counts = Readonly<Record<string, number>>;

function read(family: Family): Counts {
  return JSON.parse(readFileSync(FILES[family], "utf8")) as Counts;
}

export const COUNTS: Counts = { ...read("old"), ...read("new") };

/** Notes a world's count. Those of `names` stay in the file, in that order. */
export function writeCount(family: Family, names: readonly string[], name: string, states: number): void {
  const before = read(family);
  const counts: Record<string, number> = {};
  for (const one of names) {
    const count = one === name ? states : before[one];
    if (count !== undefined) counts[one] = count;
  }
  writeFileSync(FILES[family], `${JSON.stringify(counts, undefined, 2)}\n`);
}
