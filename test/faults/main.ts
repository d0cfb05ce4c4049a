import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "./finding.ts";
import { readOptions, USAGE, UsageError, type Options } from "./options.ts";
import { planOf, type Plan } from "./plan.ts";
import { playRound } from "./round.ts";
import { verdictOn, type Counts, type Verdict } from "./verdict.ts";

/** So many findings of each kind are printed. */
const PRINTED = 3;

/** Plays one round, and prints what it found; undefined where its Python is missing. */
async function round(options: Options, number: number): Promise<{ plan: Plan; verdict: Verdict } | undefined> {
  const plan = planOf(options, number);
  const { seed, server, proxies, causes, before, behind, msgpack } = plan;
  const about = `${msgpack ? "msgpack, " : ""}${proxies === 1 ? "one proxy" : "two proxies"}, ${[...causes].join(", ") || "nothing is broken"}`;
  console.log(`\nround ${number + 1}: --server ${server} --seed ${seed}: ${about}`);
  if (causes.has("slow")) console.log(`  ${JSON.stringify({ before, behind })}`);
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "zeo-proxy-faults-"));
  const evidence = await playRound(plan, options, folder).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
  if (evidence instanceof Error) {
    const faults = [{ kind: "stuck", who: "the round", detail: String(evidence.stack) }] as const;
    print(faults, "fault");
    console.log(`  kept: ${folder}`);
    return { plan, verdict: { faults, remarks: [], counts: new Map() } };
  }
  if (typeof evidence === "string") {
    await rm(folder, { recursive: true, force: true });
    console.log(`  left out: ${evidence}`);
    return undefined;
  }
  const verdict = verdictOn(evidence, plan, options.strict);
  console.log(`  ${Math.round((performance.now() - began) / 1000)} s; ${said(verdict.counts)}`);
  print(verdict.faults, "fault");
  print(verdict.remarks, "no fault here");
  if (options.keep || verdict.faults.length > 0) {
    await writeFile(join(folder, "memories.json"), JSON.stringify(Object.fromEntries(evidence.memories)));
    await writeFile(join(folder, "history.json"), JSON.stringify(evidence.history.transactions));
    await writeFile(
      join(folder, "findings.json"),
      JSON.stringify({ plan: { ...plan, causes: [...causes] }, ...verdict }),
    );
    console.log(`  kept: ${folder}`);
  } else await rm(folder, { recursive: true, force: true });
  return { plan, verdict };
}

function print(findings: readonly Finding[], word: string): void {
  for (const kind of new Set(findings.map((finding) => finding.kind))) {
    const all = findings.filter((finding) => finding.kind === kind);
    console.log(`  ${word}: ${kind} (${all.length})`);
    for (const { who, detail } of all.slice(0, PRINTED))
      console.log(`      ${who}: ${detail.slice(0, kind === "stuck" ? 6000 : 400)}`);
  }
}

function said(counts: Counts): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), () => 1 + Math.floor(Math.random() * 1_000_000));
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const totals = new Map<string, Counts>();
  let faulty = 0;
  for (let i = 0; i < options.rounds; i++) {
    const result = await round(options, i);
    if (result === undefined) continue;
    const { plan, verdict } = result;
    if (verdict.faults.length > 0) faulty++;
    const total = totals.get(plan.server) ?? new Map<string, number>();
    totals.set(plan.server, total);
    const add = (name: string, count: number): void => void total.set(name, (total.get(name) ?? 0) + count);
    add("rounds", 1);
    for (const { kind } of verdict.faults) add(`FAULT ${kind}`, 1);
    for (const [name, count] of verdict.counts) add(name, count);
  }
  for (const [server, counts] of totals) console.log(`\n${server}: ${said(counts)}`);
  console.log(faulty === 0 ? "\nno fault" : `\n${faulty} of ${options.rounds} rounds have faults`);
  return faulty === 0 ? 0 : 1;
}

process.once("SIGINT", () => process.exit(130));
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
