import { readFileSync, writeFileSync } from "node:fs";
import { compared } from "./against.ts";
import { chart } from "./chart.ts";
import { coresOf, type Cores } from "./cores.ts";
import { evaluate } from "./evaluate.ts";
import { EXTRAS, type Extra } from "./extras.ts";
import { haproxyVersion } from "./haproxy.ts";
import { machine } from "./machine.ts";
import { bareTable, markdownTable } from "./markdown.ts";
import { measure, peaks } from "./measure.ts";
import { readOptions, USAGE, type Options } from "./options.ts";
import { WORKLOADS, type Workload } from "./plan.ts";
import { realRun } from "./real/run.ts";
import type { Result, Run } from "./result.ts";
import { Stage } from "./rounds.ts";
import { SIDE_WORKLOADS, type SideWorkload } from "./sides/plan.ts";
import { sided } from "./sides/run.ts";
import { sideRows, sideTable } from "./sides/table.ts";
import { sites } from "./sites.ts";
import { tableHead, tableRow } from "./table.ts";
import { BARE, WAYS, type RelayWay, type Way } from "./ways.ts";
import { WITNESS_RESTS, WITNESS_WORKLOADS, type WitnessRest, type WitnessWorkload } from "./witness/plan.ts";
import { watched } from "./witness/run.ts";
import { witnessHead, witnessRow, witnessTable } from "./witness/table.ts";

async function main(options: Options): Promise<void> {
  const wanted = wantedOf(options);
  if (Object.values(wanted).every(({ length }) => length === 0))
    throw new Error(`no workload's name has ${options.only}`);
  // Before anything is written: it may be the same file.
  const before = options.against === undefined ? undefined : (JSON.parse(readFileSync(options.against, "utf8")) as Run);
  const haproxy = haproxyVersion();
  const known = options.isBare ? [...WAYS, BARE] : WAYS;
  const ways = known.filter((way) => way !== "haproxy" || haproxy !== undefined);
  const cores = coresOf(options.pin);
  const about = { ...machine(), haproxy: haproxy ?? null, pinned: cores.words, ...options.effort };
  console.log(`${about.date}, revision ${about.revision}, Node ${about.node}, ${about.cores} × ${about.cpu}`);
  console.log(haproxy === undefined ? "HAProxy is not installed here: its column is missing" : `HAProxy ${haproxy}`);
  console.log(`${options.effort.rounds} turns with ${options.effort.ms} ms for each way; ${cores.words}\n`);
  const results: Result[] = [];
  for await (const result of all(wanted, ways, options, cores)) {
    if (results.length === 0) console.log(tableHead());
    console.log(tableRow(result));
    results.push(result);
  }
  const witness: Result[] = [];
  for await (const result of watched(wanted.witness, wanted.rests, options.effort, cores)) {
    if (witness.length === 0) console.log(`\n${witnessHead()}`);
    console.log(witnessRow(result));
    witness.push(result);
  }
  const sides: Result[] = [];
  for await (const result of sided(wanted.sides, options.effort, cores)) {
    if (sides.length === 0) console.log("\nBeside the proxy without, in the same turns:");
    console.log(sideRows(result));
    sides.push(result);
  }
  tell({ ...about, results, witness, sides }, before, options);
}

interface Wanted {
  readonly workloads: readonly Workload[];
  readonly extras: readonly Extra[];
  readonly witness: readonly WitnessWorkload[];
  readonly rests: readonly WitnessRest[];
  readonly sides: readonly SideWorkload[];
}

function wantedOf({ only, isQuick }: Options): Wanted {
  return {
    workloads: WORKLOADS.filter((one) => one.name.includes(only) && (one.isQuick === true || !isQuick)),
    extras: EXTRAS.filter((one) => one.name.includes(only) && (isQuick ? one.isQuick : one.isFull)),
    witness: WITNESS_WORKLOADS.filter(
      ({ name, workload }) => name.includes(only) && (workload.isQuick === true || !isQuick),
    ),
    rests: WITNESS_RESTS.filter((one) => one.name.includes(only) && !isQuick),
    sides: SIDE_WORKLOADS.filter(
      ({ name, workload }) => name.includes(only) && (workload.isQuick === true || !isQuick),
    ),
  };
}

async function* all(
  { workloads, extras }: Wanted,
  ways: readonly Way[],
  { effort, profile }: Options,
  cores: Cores,
): AsyncIterable<Result> {
  const relays = ways.filter((way): way is RelayWay => way !== "direct");
  const stage = new Stage();
  try {
    if (workloads.length > 0) {
      await stage.start(ways, profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`], cores);
    }
    for (const workload of workloads) {
      const turns = await measure(stage, workload, ways, effort);
      yield evaluate(workload, turns, workload.hasPeak ? await peaks(workload.name, relays, cores) : undefined);
    }
  } finally {
    await stage.stop();
  }
  for (const extra of extras) yield extra.measure(relays, cores);
}

/** What is said and written at the end. */
function tell(run: Run, before: Run | undefined, { json, svg, markdown }: Options): void {
  const missed = run.results.flatMap(({ name, goals }) =>
    goals.filter(({ isMet }) => !isMet).map(({ words, measured }) => `  ${name}: ${words}, is ${measured.toFixed(2)}`),
  );
  console.log(missed.length === 0 ? "\nAll goals are met." : `\nMissed:\n${missed.join("\n")}`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(run, undefined, 1)}\n`);
  if (svg !== undefined) writeFileSync(svg, chart(run));
  if (markdown !== undefined) {
    writeFileSync(
      markdown,
      [markdownTable(run.results), bareTable(run.results), witnessTable(run.witness ?? []), sideTable(run.sides ?? [])]
        .filter((one) => one !== "")
        .join("\n"),
    );
  }
  if (before !== undefined) console.log(compared(before, run).join("\n"));
}

// So that what is started here is ended with it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

/** Nothing else is measured then. */
async function real({ json }: Options): Promise<void> {
  const results = await realRun();
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ ...machine(), real: results }, undefined, 1)}\n`);
}

function optionsOrEnd(): Options | undefined {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

const options = optionsOrEnd();
if (options === undefined) console.log(USAGE);
else if (options.isSites) await sites(coresOf(options.pin));
else await (options.isReal ? real(options) : main(options));
