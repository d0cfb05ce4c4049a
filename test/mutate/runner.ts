import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { INSTRUMENTER_CONSTANTS, type InstrumenterContext } from "@stryker-mutator/api/core";
import { declareClassPlugin, PluginKind } from "@stryker-mutator/api/plugin";
import {
  determineHitLimitReached,
  DryRunStatus,
  MutantRunStatus,
  TestStatus,
  type DryRunResult,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
} from "@stryker-mutator/api/test-runner";
import fc from "fast-check";
import { createServer, createServerModuleRunner, type ViteDevServer } from "vite";
import { holds, LEFT_OUT, roomNamed } from "./rooms.ts";
import type * as StandIn from "./stand-in.ts";

type ModuleRunner = ReturnType<typeof createServerModuleRunner>;

interface LoadedTest extends StandIn.Test {
  readonly id: string;
  readonly file: string;
}

const STAND_IN = resolve("test/mutate/stand-in.ts");
const stryker = ((globalThis as Record<string, unknown>)[INSTRUMENTER_CONSTANTS.NAMESPACE] ??=
  {}) as InstrumenterContext;

/**
 * Runs the tests of a room in this process, one after the other, as often as there are mutants: they are loaded once, since
 * to start Vitest takes longer than most tests. Mutants that act while modules are loaded have them loaded anew.
 */
class InProcessRunner implements TestRunner {
  #server: ViteDevServer | undefined;
  #modules: ModuleRunner | undefined;
  #tests: LoadedTest[] = [];
  /** In ms, by the test's id: quick ones go first. */
  readonly #took = new Map<string, number>();
  #isStale = true;

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    // A mutant is found or not, whenever it is looked for.
    fc.configureGlobal({ seed: 1 });
    this.#server = await createServer({
      configFile: false,
      appType: "custom",
      logLevel: "error",
      server: { middlewareMode: true, watch: null, hmr: false, ws: false },
      optimizeDeps: { noDiscovery: true, include: [] },
      resolve: { alias: { vitest: STAND_IN } },
    });
    const { ssr } = this.#server.environments;
    if (ssr === undefined) throw new Error("Vite has no environment for servers");
    this.#modules = createServerModuleRunner(ssr, { hmr: false });
  }

  async dispose(): Promise<void> {
    await this.#server?.close();
  }

  async dryRun(): Promise<DryRunResult> {
    await this.#load();
    const tests: TestResult[] = [];
    for (const test of this.#tests) {
      const begun = performance.now();
      stryker.currentTestId = test.id;
      const error = await this.#run(test);
      delete stryker.currentTestId;
      const timeSpentMs = performance.now() - begun;
      this.#took.set(test.id, timeSpentMs);
      const result = { id: test.id, name: test.name, fileName: resolve(test.file), timeSpentMs };
      tests.push(
        error === undefined
          ? { ...result, status: TestStatus.Success }
          : { ...result, status: TestStatus.Failed, failureMessage: error },
      );
    }
    this.#tests.sort((a, b) => (this.#took.get(a.id) ?? 0) - (this.#took.get(b.id) ?? 0));
    const { mutantCoverage } = stryker;
    return { status: DryRunStatus.Complete, tests, ...(mutantCoverage === undefined ? {} : { mutantCoverage }) };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const isStatic = options.mutantActivation === "static";
    if (this.#isStale && !isStatic) await this.#load();
    this.#activate(options);
    try {
      if (isStatic) await this.#load();
    } catch (error) {
      this.#isStale = true;
      return { status: MutantRunStatus.Killed, killedBy: [], failureMessage: String(error), nrOfTests: 0 };
    } finally {
      if (isStatic) this.#isStale = true;
    }
    return this.#look(options, isStatic);
  }

  /** Runs the tests that come to the mutant until one fails. */
  async #look(options: MutantRunOptions, isStatic: boolean): Promise<MutantRunResult> {
    const wanted = options.testFilter === undefined ? undefined : new Set(options.testFilter);
    let nrOfTests = 0;
    for (const test of this.#tests) {
      if (wanted?.has(test.id) === false) continue;
      nrOfTests++;
      const error = await this.#run(test);
      const endless = determineHitLimitReached(stryker.hitCount, options.hitLimit);
      if (endless !== undefined) {
        this.#isStale = true;
        delete stryker.activeMutant;
        return { ...endless, status: MutantRunStatus.Timeout };
      }
      if (error === undefined) continue;
      delete stryker.activeMutant;
      // It passes without the mutant, or else what went before has left something behind.
      if (!isStatic && (await this.#run(test)) !== undefined) {
        await this.#load();
        this.#activate(options);
        return this.#look(options, isStatic);
      }
      return { status: MutantRunStatus.Killed, killedBy: [test.id], failureMessage: error, nrOfTests };
    }
    delete stryker.activeMutant;
    return { status: MutantRunStatus.Survived, nrOfTests };
  }

  #activate({ activeMutant, hitLimit }: MutantRunOptions): void {
    stryker.activeMutant = activeMutant.id;
    stryker.hitCount = 0;
    if (hitLimit === undefined) delete stryker.hitLimit;
    else stryker.hitLimit = hitLimit;
  }

  /** Why it fails; undefined: it passes. */
  async #run(test: LoadedTest): Promise<string | undefined> {
    const { finish } = await this.#standIn();
    try {
      await test.run();
      return undefined;
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : "what is thrown is no error";
    } finally {
      await finish();
    }
  }

  async #load(): Promise<void> {
    this.#modules?.clearCache();
    const { takeTests } = await this.#standIn();
    const tests: LoadedTest[] = [];
    for (const file of testFiles()) {
      await this.#modules?.import(resolve(file));
      for (const test of takeTests()) {
        if (LEFT_OUT.some((name) => test.name.startsWith(name))) continue;
        tests.push({ ...test, id: `${file} > ${test.name}`, file });
      }
    }
    this.#tests = tests.toSorted((a, b) => (this.#took.get(a.id) ?? 0) - (this.#took.get(b.id) ?? 0));
    this.#isStale = false;
  }

  async #standIn(): Promise<typeof StandIn> {
    if (this.#modules === undefined) throw new Error("init() comes first");
    return this.#modules.import<typeof StandIn>(STAND_IN);
  }
}

/** Those of the room that is being mutated; what Python runs is slow, and tests Python. */
function testFiles(): string[] {
  const { tests } = roomNamed(process.env["MUTATED_ROOM"] ?? "");
  return readdirSync("test", { recursive: true, encoding: "utf8" })
    .map((file) => join("test", file))
    .filter((file) => file.endsWith(".test.ts") && !file.endsWith("-python.test.ts"))
    .filter((file) => tests.some((pattern) => holds(pattern, file)))
    .toSorted();
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, "in-process", InProcessRunner)];
