import { expect, it } from "vitest";
import { COUNTS, writeCount } from "./counts.ts";
import { explore, shortest } from "./explore.ts";
import { ALL, named, withServer, type Family } from "./worlds.ts";

/** States up to which the shortest trace of a violation is looked for. */
const SHORTEST_LIMIT = 300_000;

/** Generous: a machine may have better things to do. */
const TIMEOUT_MS = 3_600_000;

/** What a world is seen to have is what it is to have from now on: `npm run explore:counts`. */
const COUNTS_ANEW = process.env["EXPLORE_COUNTS"] === "anew";

export interface Explored {
  readonly name: string;
  readonly states: number;
  /** Processor time. */
  readonly seconds: number;
}

/** How far it has come. */
type Progress = (name: string, states: number) => void;

/** A test for each world; `report` is told what each has, `progress` how far one has come, now and then. */
export function explores(names: readonly string[], report: (explored: Explored) => void, progress?: Progress): void {
  it.each(names)("%s", { timeout: TIMEOUT_MS }, (name) => {
    const { config } = named(name);
    const before = process.cpuUsage();
    const found = explore(config, Number.POSITIVE_INFINITY, (states) => progress?.(name, states));
    if (found.violation !== undefined) {
      const short = shortest(config, SHORTEST_LIMIT);
      const { violation, trace } = short.violation === undefined ? found : short;
      expect.fail(`${violation ?? ""}\n${trace.join("\n")}`);
    }
    const { states } = found;
    const { user, system } = process.cpuUsage(before);
    report({ name, states, seconds: (user + system) / 1e6 });
    if (COUNTS_ANEW) return;
    expect(COUNTS, `${name} has ${states} states: npm run explore:counts`).toHaveProperty([name]);
    expect(states, "states").toBeGreaterThanOrEqual(COUNTS[name] ?? 0);
  });
}

/** One line for each world. */
export function table(explored: readonly Explored[]): string {
  const lines = explored.map(({ name, states, seconds }) => {
    const before = COUNTS[name] ?? 0;
    const grown = states > before && !COUNTS_ANEW ? `   more than ${before}: npm run explore:counts` : "";
    return `${line(states, seconds)}  ${name}${grown}`;
  });
  const sum = (of: "states" | "seconds"): number => explored.reduce((all, one) => all + one[of], 0);
  return [...lines, `${line(sum("states"), sum("seconds"))}  states and seconds in all`].join("\n");
}

function line(states: number, seconds: number): string {
  return `${states.toLocaleString("en").padStart(12)} ${seconds.toFixed(1).padStart(7)}`;
}

/** A test for each world of a family, for a long run: progress and counts are printed as they come. */
export function exploresAll(family: Family): void {
  const names = withServer(
    family,
    ALL.map(({ name }) => name),
  );
  const explored: Explored[] = [];
  explores(
    names,
    (one) => {
      explored.push(one);
      console.log(table([one]).split("\n")[0]);
      if (COUNTS_ANEW) writeCount(family, names, one.name, one.states);
      if (explored.length === names.length) console.log(table(explored));
    },
    (name, states) => console.log(`${states.toLocaleString("en").padStart(12)}  ... ${name}`),
  );
}
