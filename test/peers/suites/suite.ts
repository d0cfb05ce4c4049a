/** Runs ZEO's own tests of an installed peer through a gateway. */

import { join } from "node:path";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import type { Via } from "../gateway.ts";
import type { Installed } from "../install.ts";
import { PYTHON_SCRIPTS } from "../install.ts";
import { startPython } from "../processes.ts";
import { Control } from "./control.ts";
import type { Sums } from "./control.ts";

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
  /** The process's last lines of standard error. */
  readonly errors: string;
}

export interface SuiteOptions {
  /** Seconds for one test. */
  readonly testLimit: number;
  /** Milliseconds for all. */
  readonly limitMs: number;
  /** Run only these. */
  readonly only?: readonly string[];
  /** Run every `of`th test, from number `part` on. */
  readonly part?: { readonly part: number; readonly of: number };
}

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
  const began = performance.now();
  const running = startPython(
    installed,
    [join(PYTHON_SCRIPTS, "suite.py"), String(control.port), String(options.testLimit), ...modules],
    { cwd: tmpdir(), env },
  );
  running.child.stdin.end();
  const tests: SuiteTest[] = [];
  const timer = setTimeout(() => void running.stop(0), options.limitMs);
  for await (const line of createInterface({ input: running.child.stdout })) {
    tests.push(JSON.parse(line) as SuiteTest);
  }
  clearTimeout(timer);
  await running.stop();
  await control.stop();
  return { tests, sums: control.sums, seconds: (performance.now() - began) / 1000, errors: running.errors() };
}
