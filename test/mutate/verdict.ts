import type { Equivalent } from "./equivalent.ts";
import { keyOf, type Mutant } from "./mutant.ts";

/** Of one file, or of a room. */
export interface Count {
  mutants: number;
  /** By a test that fails, or that doesn't end. */
  found: number;
  /** Listed as equivalent. */
  listed: number;
}

export interface Verdict {
  readonly files: ReadonlyMap<string, Count>;
  readonly sum: Count;
  /** Neither found nor listed. */
  readonly survivors: readonly Mutant[];
  /** What is listed without need, and why not. */
  readonly idle: readonly string[];
}

/** What has been found of these mutants, and whether the list is true for the `files` that they stand in. */
export function judge(mutants: readonly Mutant[], files: readonly string[], list: readonly Equivalent[]): Verdict {
  const survived = new Map<string, boolean>();
  for (const mutant of mutants) {
    const key = keyOf(mutant);
    survived.set(key, mutant.fate === "survived" || survived.get(key) === true);
  }
  const idle = list
    .filter(({ file }) => files.includes(file))
    .flatMap((entry) => {
      const key = keyOf(entry);
      if (!survived.has(key)) return [`does not occur any more: ${key}`];
      return survived.get(key) === true ? [] : [`is found by a test: ${key}`];
    });
  const listed = new Set(list.map(keyOf));
  const counts = new Map<string, Count>(files.map((file) => [file, newCount()]));
  const sum = newCount();
  const survivors: Mutant[] = [];
  for (const mutant of mutants) {
    if (mutant.fate === "void") continue;
    for (const count of [sum, counts.get(mutant.file) ?? newCount()]) {
      count.mutants++;
      if (mutant.fate !== "survived") count.found++;
      else if (listed.has(keyOf(mutant))) count.listed++;
    }
    if (mutant.fate === "survived" && !listed.has(keyOf(mutant))) survivors.push(mutant);
  }
  return { files: counts, sum, survivors, idle };
}

/** In percent, of those that a test could find. */
export function scoreOf({ mutants, found, listed }: Count): number {
  return mutants === listed ? 100 : (100 * found) / (mutants - listed);
}

function newCount(): Count {
  return { mutants: 0, found: 0, listed: 0 };
}
