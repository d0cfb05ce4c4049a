import { defineConfig } from "vitest/config";

/** `npm run mistakes`: plants each of them, one after the other; `-- -t "probe"` one. Some minutes. */
export default defineConfig({
  test: { include: ["test/mistakes/planted.ts"], testTimeout: 900_000, hookTimeout: 120_000, maxWorkers: 1 },
});
