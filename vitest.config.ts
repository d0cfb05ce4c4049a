import { defineConfig } from "vitest/config";

/** Received bytes that are kept, and not copied, are found out: see there. Workers and what they start inherit it. */
const FORGET = `--import=${new URL("test/net/forget.mjs", import.meta.url).href}`;
process.env["NODE_OPTIONS"] = `${process.env["NODE_OPTIONS"] ?? ""} ${FORGET}`.trim();

/** Folders with a project of their own; `unit` is everything else. */
const SEPARATE = ["explore", "property", "simulate", "commands", "peers", "bench", "page/browser"];

/**
 * Unit tests with a process for each file, where they replace a module, or measure or change the process itself. The others share
 * theirs, one file after the other: to start one and to load the same modules again takes longer than most files.
 */
const ALONE = ["net", "pressure", "page", "log"].map((folder) => `test/${folder}/**/*.test.ts`);

/** Tests of a single module against a real ZEO; those of the whole proxy are in `peers`. */
const WITH_PYTHON = ["test/**/*-python.test.ts", "test/embedded/real-clients.test.ts"];

/** Rounds with real servers; what judges them is tested with the unit tests. */
const FAULTS = "test/faults/faults.test.ts";

/**
 * `npx vitest run --project NAME` runs one of: `unit` and `alone` (mirror `src`, with real sockets where that is what is tested),
 * `python` (mirrors `src` too, against real ZEO), `explore` (every interleaving of small worlds), `property` (random ones
 * of larger worlds), `simulate` (the whole proxy between simulated clients, network and servers, 1,000 seeds; more with
 * `npm run simulate`), `commands` (the built command as a process), `page` (the status page in a real Chromium), `bench` (the benchmark's own tests), `peers` (the proxy between real ZEO
 * servers and clients), `faults` (the same on bad days; more with `npm run faults`).
 */
export default defineConfig({
  test: {
    // Two cores are the least that a machine has; the files that start processes mostly wait for them.
    maxWorkers: 3,
    passWithNoTests: false,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...SEPARATE.map((folder) => `test/${folder}/**`), ...WITH_PYTHON, ...ALONE, FAULTS],
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "alone",
          include: ALONE,
          exclude: [...SEPARATE.map((folder) => `test/${folder}/**`), ...WITH_PYTHON],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "python",
          include: process.env["ZEO_PEERS"] === "off" ? [] : WITH_PYTHON,
          globalSetup: "test/python-setup.ts",
          testTimeout: 60_000,
        },
      },
      { test: { name: "explore", include: ["test/explore/**/*.test.ts"], testTimeout: 120_000 } },
      { test: { name: "simulate", include: ["test/simulate/**/*.test.ts"], testTimeout: 120_000 } },
      { test: { name: "property", include: ["test/property/**/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "commands",
          include: ["test/commands/**/*.test.ts"],
          globalSetup: "test/commands/setup.ts",
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "page",
          include: ["test/page/browser/**/*.test.ts"],
          globalSetup: "test/commands/setup.ts",
          testTimeout: 180_000,
        },
      },
      { test: { name: "bench", include: ["test/bench/**/*.test.ts"], testTimeout: 60_000 } },
      "test/peers/vitest.config.ts",
      {
        test: {
          name: "faults",
          include: process.env["ZEO_PEERS"] === "off" ? [] : [FAULTS],
          globalSetup: ["test/python-setup.ts", "test/commands/setup.ts"],
          // Behind the peers: each round has some ten processes.
          sequence: { groupOrder: 2 },
          testTimeout: 180_000,
        },
      },
    ],
  },
});
