import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Real servers and clients: slow, and each file starts processes, so few run at once. */
export default defineConfig({
  test: {
    name: "peers",
    root: dirname(fileURLToPath(import.meta.url)),
    include: process.env["ZEO_PEERS"] === "off" ? [] : ["**/*.test.ts"],
    exclude: process.env["ZEO_SUITES"] === undefined ? ["suites/**"] : [],
    globalSetup: ["../commands/setup.ts", "./setup.ts"],
    fileParallelism: true,
    maxWorkers: 3,
    // Behind the other projects: real servers want the machine for themselves.
    sequence: { groupOrder: 1 },
    testTimeout: 120_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
});
