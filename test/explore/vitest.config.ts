import { defineConfig } from "vitest/config";

/** `npm run explore`: all worlds, one after the other, some minutes each. */
export default defineConfig({
  test: {
    include: ["test/explore/all.explore.ts"],
    testTimeout: 3_600_000,
    reporters: "verbose",
    disableConsoleIntercept: true,
  },
});
