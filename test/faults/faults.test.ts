import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readOptions, SERVERS } from "./options.ts";
import { planOf } from "./plan.ts";
import { playRound } from "./round.ts";
import { verdictOn } from "./verdict.ts";

const ROUNDS = [0, 1];

/** Of all causes. */
const lineFor = (server: string): string => `--seconds 3 --witness on --server ${server}`;

/** `ZEO_FAULTS_SEED` repeats the choices of a run that printed it. */
const seed = Number(process.env["ZEO_FAULTS_SEED"] ?? 1 + Math.floor(Math.random() * 1_000_000));

describe("bad days around real servers", () => {
  const rounds = SERVERS.flatMap((server) => ROUNDS.map((round) => [server, seed + round] as const));

  test.each(rounds)("%s, seed %i: everyone was told of everything, and no cache is stale", async (server, first) => {
    const line = `${lineFor(server)} --seed ${first}`;
    console.log(`npm run faults -- ${line} --rounds 1`);
    const options = readOptions(line.split(" "), () => first);
    if (options === undefined) throw new Error("these are options of the usage alone");
    const folder = await mkdtemp(join(tmpdir(), "zeo-proxy-faults-"));
    const plan = planOf(options, 0);
    const evidence = await playRound(plan, options, folder);
    if (typeof evidence === "string") {
      if (process.env["ZEO_PEERS"] === "required") throw new Error(evidence);
      console.log(`${server}: skipped, ${evidence}`);
      return;
    }
    const { faults, counts } = verdictOn(evidence, plan, false);
    console.log(`${server}: ${JSON.stringify(Object.fromEntries(counts))}`);
    expect(faults.slice(0, 20), `${faults.length} faults; ${folder}`).toEqual([]);
    expect(counts.get("acknowledged")).toBeGreaterThan(3);
    await rm(folder, { recursive: true, force: true });
  });
});
