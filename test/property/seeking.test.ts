import { expect, it } from "vitest";
import { replay } from "../explore/explore.ts";
import { LARGE } from "./large.ts";
import { Seeking } from "./seeking.ts";

/** Steps in each world. */
const STEPS = 40_000;

/** `SEEK_SEED=7 npm run test:property` goes other ways. */
const SEED = Number(process.env["SEEK_SEED"] ?? 1);

it.each(LARGE)("walks to what it has not seen keep the invariants: $name", { timeout: 600_000 }, ({ config }) => {
  const { violation, events, outlines } = new Seeking(config, SEED, STEPS).run();
  if (violation !== undefined) expect.fail(`seed ${SEED}: ${violation}\n${replay(config, events).join("\n")}`);
  expect(outlines).toBeGreaterThan(1);
});
