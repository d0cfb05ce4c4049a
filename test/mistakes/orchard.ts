import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Mistake } from "./mistakes.ts";

const TREE = resolve(".cache/mistakes");
const KEPT = ["src", "test", "docs", "config", "bin", "package.json", "tsconfig.json", "vitest.config.ts", "README.md"];
const DOCUMENTS = ["CONTRIBUTING.md", "CHANGELOG.md", "tsconfig.build.json", ".oxlintrc.json"];

/** Runs of the simulator, and again where all have a witness; and how long they may take together. */
const SEEDS = "400";
const SIMULATION_MS = 180_000;
/** Tests that take little time; the first failure is enough. */
const TESTS = [
  ...["session", "storage", "upstream", "net", "ledger"].map((room) => `test/${room}`),
  ...["frame", "methods", "tids"].map((name) => `test/wire/${name}.test.ts`),
  ...["bad-input", "failure", "guard", "order", "repair", "resume"].map((name) => `test/proxy/${name}.test.ts`),
];

/** Who has seen a mistake, and as what; undefined: nobody. */
export type Found = { readonly by: "the simulator" | "a test"; readonly as: string } | undefined;

/** A copy of the tree, in which mistakes can be planted. */
export function prepare(): void {
  rmSync(TREE, { recursive: true, force: true });
  mkdirSync(TREE, { recursive: true });
  for (const name of [...KEPT, ...DOCUMENTS]) cpSync(name, join(TREE, name), { recursive: true });
  symlinkSync(resolve("node_modules"), join(TREE, "node_modules"));
}

/** Plants it, looks who finds it, and takes it out again. */
export function plant({ file, text, becomes, tests }: Mistake): Found {
  const path = join(TREE, file);
  const sound = readFileSync(path, "utf8");
  writeFileSync(
    path,
    sound.replace(text, () => becomes),
  );
  try {
    return tests === undefined ? (simulated() ?? tested(TESTS)) : tested(tests);
  } finally {
    writeFileSync(path, sound);
  }
}

/** Does the sound tree pass what the mistakes are looked for with: the simulator, its tests, and these? */
export function findNothing(tests: readonly string[]): Found {
  return simulated() ?? tested([...new Set([...TESTS, ...tests])]);
}

function simulated(): Found {
  // A mistake may leave a name unused: what the compiler says of it is no matter, what it writes is.
  run("node_modules/typescript/bin/tsc", ["-p", "test/simulate/tsconfig.json", "--noUnusedLocals", "false"], 60_000);
  return simulatedWith([]) ?? simulatedWith(["--witness", "on"]);
}

function simulatedWith(more: readonly string[]): Found {
  const main = ".cache/simulate/test/simulate/main.js";
  const args = ["--subject", "proxy", "--seeds", SEEDS, "--first", "--keep-large", ...more];
  const { status, output } = run(main, args, SIMULATION_MS);
  if (status === 0) return undefined;
  const line = /^seed \d+: .*$/m.exec(output)?.[0] ?? output.trim().split("\n").at(-1) ?? "no output";
  return { by: "the simulator", as: status === undefined ? "it does not end" : line.slice(0, 160) };
}

function tested(tests: readonly string[]): Found {
  const args = ["run", "--project", "unit", "--project", "alone", "--bail", "1", ...tests];
  const { status, output } = run("node_modules/vitest/vitest.mjs", args, 600_000);
  if (status === 0) return undefined;
  // That is a failure, too, of nobody's finding.
  if (output.includes("No test files found")) throw new Error(`no tests in ${tests.join(", ")}`);
  const line = /FAIL\s+(.*)$/m.exec(output)?.[1] ?? "it does not end";
  return { by: "a test", as: line.replaceAll(/\x1b\[[0-9;]*m/g, "").slice(0, 160) };
}

function run(script: string, args: readonly string[], timeout: number): { status: number | undefined; output: string } {
  // Whoever runs this is a test runner itself, and says so to its children.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_ENV$|TEST$)/.test(name)),
  );
  const options = { cwd: TREE, encoding: "utf8", timeout, killSignal: "SIGKILL", maxBuffer: 1 << 28, env } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], options);
  return { status: status ?? undefined, output: stdout + stderr };
}
