import { defineConfig } from "vitest/config";

/**
 * `npm run explore`: all worlds, half of them in each of two workers. `npm run explore:counts` (`--mode counts`) writes down
 * how many states each has, `npm run explore:pending` (`--mode pending`) walks through those that wait for a rule.
 */
export default defineConfig(({ mode }) => ({
  test: {
    include: mode === "pending" ? ["test/explore/pending.explore.ts"] : ["test/explore/{old,new}.explore.ts"],
    env: mode === "counts" ? { EXPLORE_COUNTS: "anew" } : {},
    maxWorkers: 2,
    reporters: "verbose",
    disableConsoleIntercept: true,
  },
}));
