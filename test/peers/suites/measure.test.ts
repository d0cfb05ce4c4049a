import { test } from "vitest";
import { install } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { runSuite } from "./suite.ts";
import { writeFileSync } from "node:fs";
test("m", async () => {
  const r = await install(peerNamed(process.env["P"]!));
  if (r.type !== "installed") return;
  const via = process.env["V"] as "relay";
  const run = await runSuite(r.installed, process.env["M"]!.split(","), via, { testLimit: 90, limitMs: 1500000 });
  writeFileSync(`/tmp/zeo/suite-${process.env["P"]}-${via}.json`, JSON.stringify(run, null, 1));
  const c: Record<string, number> = {};
  for (const t of run.tests) c[t.outcome] = (c[t.outcome] ?? 0) + 1;
  console.log(c, run.seconds, run.sums, run.errors.slice(-1500));
}, 1600000);
