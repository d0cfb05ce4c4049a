import { defineConfig } from "vitest/config";

/** `npm run recovery`: how soon real clients are back after an outage, with the proxy and without. */
export default defineConfig({
  test: {
    include: process.env["ZEO_PEERS"] === "off" ? [] : ["test/recovery/*.recovery.ts"],
    passWithNoTests: true,
    fileParallelism: false,
    reporters: "verbose",
    disableConsoleIntercept: true,
  },
});
