import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { setPriority } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Stryker } from "@stryker-mutator/core";
import { EQUIVALENT } from "./equivalent.ts";
import { shown, type Fate, type Mutant } from "./mutant.ts";
import { holds, ROOMS, type Room } from "./rooms.ts";
import { judge, scoreOf, type Count } from "./verdict.ts";

const USAGE = `npm run mutate -- [OPTIONS] [ROOM, FOLDER or FILE]...
  ${ROOMS.map(({ name }) => name).join(", ")}: all of them, unless some are named
  --again          only what survived the last time
  --fresh          forgets what earlier runs have found
  --concurrency N  so many mutants at a time (1)`;

const CACHE = ".cache/mutate";
/** A test that takes this much longer than without a mutant does not end. */
const ENDLESS_MS = 20_000;
/** What else runs on this machine goes first. */
const NICENESS = 10;

type StrykerResult = Awaited<ReturnType<Stryker["runMutationTest"]>>[number];

const { values, positionals } = parseArgs({
  options: {
    again: { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    concurrency: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
  allowPositionals: true,
});

/** The files of a room that are named, by whatever name. */
function chosen(room: Room): string[] {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" })
    .map((file) => join("src", file))
    .filter((file) => file.endsWith(".ts") && room.files.some((pattern) => holds(pattern, file)))
    .toSorted();
  if (positionals.length === 0 || positionals.includes(room.name)) return files;
  const wanted = positionals.map((path) => relative("", path));
  return files.filter((file) => wanted.some((path) => file === path || file.startsWith(`${path}/`)));
}

/** Where those stand that survived the last time, as ranges that Stryker reads: columns from 0 on, lines from 1 on. */
function survivorsIn(report: string, files: readonly string[]): string[] {
  const kept = JSON.parse(readFileSync(report, "utf8")) as { files: Record<string, { mutants: StrykerResult[] }> };
  return files.flatMap((file) =>
    (kept.files[file]?.mutants ?? [])
      .filter((result) => fateOf(result) === "survived")
      .map(({ location: { start, end } }) => `${file}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`),
  );
}

async function mutate(room: Room, files: readonly string[]): Promise<Mutant[]> {
  const incrementalFile = `${CACHE}/${room.name}.json`;
  const ranges = values.again ? survivorsIn(incrementalFile, files) : files;
  if (values.fresh) rmSync(incrementalFile, { force: true });
  // The runner's own processes read it.
  process.env["MUTATED_ROOM"] = room.name;
  const stryker = new Stryker({
    mutate: [...ranges],
    testRunner: "in-process",
    plugins: [fileURLToPath(new URL("runner.js", import.meta.url))],
    coverageAnalysis: "perTest",
    concurrency: Number(values.concurrency),
    timeoutMS: ENDLESS_MS,
    incremental: true,
    incrementalFile,
    tempDirName: `${CACHE}/tree`,
    ignorePatterns: ["/*", "!/src", "!/test", "!/package.json", "!/tsconfig.json"],
    // It would be read with an interface that TypeScript 7 has no more; nothing here needs it.
    tsconfigFile: "none",
    reporters: ["progress-append-only"],
  });
  const results = await stryker.runMutationTest();
  const sources = new Map(files.map((file) => [file, readFileSync(file, "utf8").split("\n")]));
  return results.flatMap((result) => {
    const file = relative("", result.fileName);
    const lines = sources.get(file);
    return lines === undefined ? [] : [mutantOf(result, file, lines)];
  });
}

function mutantOf(result: StrykerResult, file: string, lines: readonly string[]): Mutant {
  // Lines and columns from 1 on.
  const { start, end } = result.location;
  const line = lines[start.line - 1] ?? "";
  const text = line.slice(start.column - 1, end.line === start.line ? end.column - 1 : undefined);
  return {
    file,
    lineNumber: start.line,
    line: line.trim(),
    text,
    becomes: result.replacement ?? "",
    fate: fateOf(result),
  };
}

function fateOf({ status }: StrykerResult): Fate {
  switch (status) {
    case "Killed":
      return "killed";
    case "Timeout":
      return "endless";
    case "Survived":
    case "NoCoverage":
      return "survived";
    case "CompileError":
    case "RuntimeError":
    case "Ignored":
    case "Pending":
      return "void";
  }
}

function row(name: string, count: Count): string {
  const { mutants, found, listed } = count;
  return `| ${name} | ${mutants} | ${found} | ${listed} | ${mutants - found - listed} | ${scoreOf(count).toFixed(1)} |`;
}

if (values.help) {
  console.log(USAGE);
  process.exit();
}
setPriority(NICENESS);
mkdirSync(CACHE, { recursive: true });
const rows = ["| | mutants | found | equivalent | neither | score |", "| --- | --- | --- | --- | --- | --- |"];
const problems: string[] = [];
for (const room of ROOMS) {
  const files = chosen(room);
  if (files.length === 0) continue;
  const verdict = judge(await mutate(room, files), files, EQUIVALENT);
  for (const [file, count] of verdict.files) if (count.mutants > 0) rows.push(row(file, count));
  rows.push(row(`**${room.name}**`, verdict.sum));
  if (verdict.survivors.length > 0) console.log(verdict.survivors.map(shown).join("\n"));
  problems.push(...verdict.idle);
  const score = scoreOf(verdict.sum);
  if (score < room.leastScore)
    problems.push(`${room.name}: ${score.toFixed(1)}, at least ${room.leastScore} is wanted`);
}
if (rows.length === 2) problems.push(USAGE);
console.log([...rows, ...problems].join("\n"));
if (problems.length > 0) process.exitCode = 1;
