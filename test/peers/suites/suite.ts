/** Runs ZEO's own tests of an installed peer through a gateway. */

import { join } from "node:path";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import type { Via } from "../gateway.ts";
import type { Installed } from "../install.ts";
import { PYTHON_SCRIPTS } from "../install.ts";
import { startPython } from "../processes.ts";
import { Control } from "./control.ts";
import { added, type Sums } from "./control.ts";

export interface SuiteTest {
  readonly test: string;
  readonly outcome: "ok" | "failed" | "skipped" | "too long";
  readonly seconds: number;
  readonly details: string;
}

export interface SuiteRun {
  readonly tests: readonly SuiteTest[];
  readonly sums: Sums;
  readonly seconds: number;
}

/** What several runs at the same time make together. */
export function together(runs: readonly SuiteRun[]): SuiteRun {
  return {
    tests: runs.flatMap(({ tests }) => tests),
    sums: runs.map(({ sums }) => sums).reduce(added),
    seconds: Math.max(...runs.map(({ seconds }) => seconds)),
  };
}

export interface SuiteOptions {
  /** Seconds for one test. */
  readonly testLimit: number;
  /** Milliseconds for all. */
  readonly limitMs: number;
  /** Run only these. */
  readonly only?: readonly string[];
  /** Run every `of`th test, from number `part` on. */
  readonly part?: Part;
  /** Ends it at once, as its time would. */
  readonly signal?: AbortSignal;
  /** The tests with TLS, too. */
  readonly tls?: boolean;
}

export interface Part {
  readonly part: number;
  readonly of: number;
}

/** @throws Error where not every test was run: after the time for all, or when the process ended before. */
export async function runSuite(
  installed: Installed,
  modules: readonly string[],
  via: Via,
  options: SuiteOptions,
): Promise<SuiteRun> {
  const control = await Control.start(via);
  const env: Record<string, string> = {};
  if (options.only !== undefined) env["SUITE_ONLY"] = JSON.stringify(options.only);
  if (options.part !== undefined) env["SUITE_PART"] = `${options.part.part}/${options.part.of}`;
  if (options.tls === true) env["SUITE_TLS"] = "yes";
  const began = performance.now();
  const running = startPython(
    installed,
    [join(PYTHON_SCRIPTS, "suite.py"), String(control.port), String(options.testLimit), ...modules],
    { cwd: tmpdir(), env },
  );
  running.child.stdin.end();
  const tests: SuiteTest[] = [];
  let planned: number | undefined;
  const stop = (): void => void running.stop(0);
  const timer = setTimeout(stop, options.limitMs);
  options.signal?.addEventListener("abort", stop);
  if (options.signal?.aborted === true) stop();
  try {
    for await (const line of createInterface({ input: running.child.stdout })) {
      const said = JSON.parse(line) as SuiteTest | { readonly planned: number };
      if ("planned" in said) planned = said.planned;
      else tests.push(said);
    }
  } finally {
    clearTimeout(timer);
    await running.stop(tests.length === planned ? undefined : 0);
    await control.stop();
  }
  const seconds = (performance.now() - began) / 1000;
  if (tests.length !== planned) {
    const count = `${tests.length} of ${planned ?? "an unknown number of"} tests`;
    throw new Error(
      `${installed.peer.name} via ${via}: ended after ${count} and ${seconds.toFixed(0)} s\n${running.errors()}`,
    );
  }
  return { tests, sums: control.sums, seconds };
}
