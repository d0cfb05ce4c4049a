/**
 * ZEO's own tests with the proxy between: they may fail nowhere where they pass through a plain relay.
 *
 * `ZEO_SUITES=full` runs all of them, in three parts at a time, and those with TLS where these work without a proxy; anything else every
 * few tests, so that it takes some minutes in all. `ZEO_SUITES_PART` chooses which.
 */

import { describe, expect, test } from "vitest";
import { install } from "../install.ts";
import type { Installed } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { runSuite, together } from "./suite.ts";
import type { SuiteRun, SuiteTest } from "./suite.ts";

const FULL = process.env["ZEO_SUITES"] === "full";
const PART = Number(process.env["ZEO_SUITES_PART"] ?? 0);

interface Suite {
  readonly peer: string;
  /** Modules of `ZEO.tests`. */
  readonly modules: readonly string[];
  /** What else opens connections, or has a server in its own process: in the full run. */
  readonly others: readonly string[];
  /** Its tests with TLS, in the full run. */
  readonly tls: boolean;
  /** In the short run only every so manyth test. */
  readonly oneOf: number;
}

const NEW_OTHERS = [
  "testZEO2",
  "testConfig",
  "testConversionSupport",
  "test_client_credentials",
  "test_client_side_conflict_resolution",
];

const SUITES: readonly Suite[] = [
  {
    peer: "zeo4-py27",
    modules: ["testZEO", "testConnection"],
    others: ["testZEO2", "testAuth", "testMonitor", "testConfig", "testConversionSupport"],
    tls: false,
    oneOf: 12,
  },
  {
    peer: "zeo521-py37",
    modules: ["testZEO", "testConnection", "test_sync"],
    others: NEW_OTHERS,
    // On Python 3.7 its clients never connect over TLS, to its own server either.
    tls: false,
    oneOf: 6,
  },
  {
    peer: "zeo62-py312",
    modules: ["testZEO", "testConnection", "test_sync"],
    others: [...NEW_OTHERS, "testssl"],
    tls: true,
    oneOf: 6,
  },
];

/**
 * A client that has come back looks at once for what another one has just committed, and loses where it was back before that
 * commit: the server's socket (no TCP_NODELAY) may keep its invalidation for 40 ms, without a proxy, too. Through the relay, which
 * accepts while the server is gone, it comes back ten seconds later.
 */
const RACES_THE_SERVER: readonly string[] = ["new_addr_test"];

const TEST_LIMIT_SECONDS = FULL ? 600 : 120;
const LIMIT_MS = FULL ? 3_600_000 : 420_000;
/** Parts that run at the same time in the full run: most of what they do is wait. */
const PARTS = 3;

function bad(run: SuiteRun): SuiteTest[] {
  return run.tests.filter((t) => t.outcome === "failed" || t.outcome === "too long");
}

function ids(tests: readonly SuiteTest[]): string[] {
  return [...new Set(tests.map((t) => t.test))];
}

function said(peer: string, via: string, run: SuiteRun): string {
  const count = (outcome: string): number => run.tests.filter((t) => t.outcome === outcome).length;
  const failed = count("failed") + count("too long");
  return (
    `${peer} via ${via}: ${count("ok")} passed, ${failed} failed, ${count("skipped")} skipped ` +
    `in ${run.seconds.toFixed(0)} s; ${JSON.stringify(run.sums)}`
  );
}

function modulesOf({ modules, others }: Suite): string[] {
  return [...modules, ...(FULL ? others : [])].map((name) => `ZEO.tests.${name}`);
}

async function runThroughProxy(installed: Installed, suite: Suite): Promise<SuiteRun> {
  const parts = FULL
    ? Array.from({ length: PARTS }, (_, part) => ({ part, of: PARTS }))
    : [{ part: PART % suite.oneOf, of: suite.oneOf }];
  const others = new AbortController();
  const { signal } = others;
  const options = { testLimit: TEST_LIMIT_SECONDS, limitMs: LIMIT_MS, tls: FULL && suite.tls, signal };
  const runs = parts.map((part) => runSuite(installed, modulesOf(suite), "proxy", { ...options, part }));
  try {
    return together(await Promise.all(runs));
  } catch (error) {
    // Nobody would wait for those that still run.
    others.abort();
    await Promise.allSettled(runs);
    throw error;
  }
}

/** The tests that fail through the proxy, twice, and pass through a plain relay. */
async function brokenByTheProxy(installed: Installed, suite: Suite, first: SuiteRun): Promise<SuiteTest[]> {
  const { peer } = suite;
  const modules = modulesOf(suite);
  const options = { testLimit: TEST_LIMIT_SECONDS, limitMs: LIMIT_MS };
  const failed = ids(bad(first));
  const races = failed.filter((id) => RACES_THE_SERVER.some((name) => id.includes(name)));
  for (const id of races) console.log(`${peer}: has lost its race: ${id}`);
  let suspects = failed.filter((id) => !races.includes(id));
  if (suspects.length === 0) return [];
  const relayed = await runSuite(installed, modules, "relay", { ...options, only: suspects });
  console.log(said(peer, "relay (only what failed)", relayed));
  const alsoRelayed = new Set(ids(bad(relayed)));
  for (const id of alsoRelayed) console.log(`${peer}: fails through a plain relay as well: ${id}`);
  suspects = suspects.filter((id) => !alsoRelayed.has(id));
  if (suspects.length === 0) return [];
  const again = await runSuite(installed, modules, "proxy", { ...options, only: suspects });
  console.log(said(peer, "proxy (again)", again));
  for (const id of suspects.filter((suspect) => !ids(bad(again)).includes(suspect))) {
    const details = first.tests.find((t) => t.test === id)?.details.slice(-1000);
    console.log(`${peer}: passes the second time: ${id}; the first time: ${details}`);
  }
  return bad(again);
}

describe.concurrent("ZEO's own tests through the proxy", () => {
  for (const suite of SUITES) {
    test(`those of ${suite.peer}`, { timeout: 3 * LIMIT_MS }, async (context) => {
      const result = await install(peerNamed(suite.peer));
      if (result.type === "missing") return context.skip(`${suite.peer}: ${result.why}`);
      const run = await runThroughProxy(result.installed, suite);
      console.log(said(suite.peer, "proxy", run));
      expect(run.tests.length).toBeGreaterThan(FULL ? 150 : 20);
      const broken = await brokenByTheProxy(result.installed, suite, run);
      expect(broken.map((t) => `${t.test} (${t.outcome})\n${t.details.slice(-1500)}`)).toEqual([]);
      expect(run.sums.guard).toBe(0);
    });
  }
});
