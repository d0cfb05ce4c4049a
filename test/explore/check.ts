import { expect, it } from "vitest";
import { COUNTS } from "./counts.ts";
import { explore, shortest } from "./explore.ts";
import { named } from "./worlds.ts";

/** States up to which the shortest trace of a violation is looked for. */
const SHORTEST_LIMIT = 300_000;

/** Generous: a machine may have better things to do. */
const TIMEOUT_MS = 3_600_000;

export interface Explored {
  readonly name: string;
  readonly states: number;
}

/** A test for each world; `report` is told the count of each, `progress` how far one has come, now and then. */
export function explores(
  names: readonly string[],
  report: (explored: Explored) => void,
  progress?: (explored: Explored) => void,
): void {
  it.each(names)("%s", { timeout: TIMEOUT_MS }, (name) => {
    const world = named(name).config;
    const found = explore(world, Number.POSITIVE_INFINITY, (states) => progress?.({ name, states }));
    if (found.violation !== undefined) {
      const short = shortest(world, SHORTEST_LIMIT);
      const { violation, trace } = short.violation === undefined ? found : short;
      expect.fail(`${violation ?? ""}\n${trace.join("\n")}`);
    }
    report({ name, states: found.states });
    expect(COUNTS, `${name} has ${found.states} states`).toHaveProperty([name]);
    expect(found.states, "states").toBeGreaterThanOrEqual(COUNTS[name] ?? 0);
  });
}

/** One line for each world. */
export function table(explored: readonly Explored[]): string {
  const lines = explored.map(({ name, states }) => {
    const before = COUNTS[name] ?? 0;
    const grown = states > before ? `   more than ${before}: the table of counts is old` : "";
    return `${states.toLocaleString("en").padStart(12)}  ${name}${grown}`;
  });
  const total = explored.reduce((sum, { states }) => sum + states, 0);
  return [...lines, `${total.toLocaleString("en").padStart(12)}  states in all`].join("\n");
}

/** A test for each of these worlds, for a long run: progress and counts are printed as they come. */
export function exploresAll(names: readonly string[]): void {
  const explored: Explored[] = [];
  explores(
    names,
    (one) => {
      explored.push(one);
      console.log(table([one]).split("\n")[0]);
      if (explored.length === names.length) console.log(table(explored));
    },
    ({ name, states }) => console.log(`${states.toLocaleString("en").padStart(12)}  ... ${name}`),
  );
}
