import { defineConfig } from "vitest/config";

/** `npm run explore`: all worlds, half of them in each of two workers. */
export default defineConfig({
  test: {
    include: ["test/explore/*.explore.ts"],
    maxWorkers: 2,
    reporters: "verbose",
    disableConsoleIntercept: true,
  },
});
