import { expect, test } from "vitest";
import { install } from "./install.ts";
import { peerNamed } from "./peers.ts";
import { runSuite } from "./suites/suite.ts";

test("a run that is ended before all of its tests have run is no result", { timeout: 300_000 }, async (context) => {
  const result = await install(peerNamed("zeo4-py27"));
  if (result.type === "missing") return context.skip(result.why);
  const ended = new AbortController();
  const options = { testLimit: 120, limitMs: 240_000, signal: ended.signal };
  const run = runSuite(result.installed, ["ZEO.tests.testZEO"], "relay", options);
  ended.abort();
  await expect(run).rejects.toThrow("zeo4-py27 via relay: ended after");
});
