import type { PeerClient } from "../../peers/client.ts";
import { rotated } from "../turns.ts";
import type { RealWay } from "./stage.ts";

const COMMITS = 30;
const TOLD = 5;
const CREATED = 5;
const MODIFIED = 5;
const PATIENCE_MS = 20_000;

/** What one way did in a turn. */
export interface RealSample {
  readonly commitsPerSecond: number;
  /** From the writer's tpc_finish until the last observer's application was told, in ms. */
  readonly toldMs: readonly number[];
  /** Of the relay. */
  readonly cpuMsPerCommit: number | undefined;
}

/** A transaction, and what every observer must be told of it. */
interface Committed {
  readonly tid: string;
  readonly oids: readonly string[];
}

/** One way through all turns. */
export class RealRun {
  readonly way: RealWay;
  readonly samples: RealSample[] = [];
  readonly #committed: Committed[] = [];
  #known: readonly string[] = [];

  constructor(way: RealWay) {
    this.way = way;
  }

  /** Creates the objects that are modified from then on. */
  async prepare(): Promise<void> {
    const { created } = await this.way.writer.commit({ create: MODIFIED });
    this.#known = created;
  }

  async turn(seed: number): Promise<void> {
    const cpuBefore = this.way.cpuUs();
    const start = performance.now();
    // The same mix on every way: creations, modifications and some transactions that are aborted.
    await this.way.writer.write({ count: COMMITS, seed, undo: false, delete: false });
    const seconds = (performance.now() - start) / 1000;
    const cpuAfter = this.way.cpuUs();
    const toldMs: number[] = [];
    for (let i = 0; i < TOLD; i++) toldMs.push(await this.#tell(seed));
    const isKnown = cpuBefore !== undefined && cpuAfter !== undefined;
    this.samples.push({
      commitsPerSecond: COMMITS / seconds,
      toldMs,
      cpuMsPerCommit: isKnown ? (cpuAfter - cpuBefore) / 1000 / COMMITS : undefined,
    });
  }

  /** Step by step, so that the clock starts with the tpc_finish. */
  async #tell(value: number): Promise<number> {
    const { writer, observers } = this.way;
    const created = await writer.newOids(CREATED);
    await writer.begin();
    for (const oid of created) await writer.store(oid, value, { serial: "new" });
    for (const oid of this.#known) await writer.store(oid, value);
    await writer.vote();
    const start = performance.now();
    const tid = await writer.finish();
    const told = await Promise.all(observers.map((observer) => observer.waitTold(tid, PATIENCE_MS)));
    const ms = performance.now() - start;
    if (!told.every(Boolean)) throw new Error(`${this.way.title}: somebody was not told of ${tid}`);
    this.#committed.push({ tid, oids: [...created, ...this.#known].sort() });
    return ms;
  }

  /** Throws where an observer was not told of an object. */
  async check(): Promise<void> {
    if (!this.way.isComplete) return;
    for (const observer of this.way.observers) {
      const told = await toldBy(observer);
      for (const { tid, oids } of this.#committed) {
        const said = told.get(tid)?.join() ?? "nothing";
        if (said !== oids.join()) throw new Error(`${this.way.title}: of ${tid} was told ${said}, not ${oids.join()}`);
      }
    }
  }
}

async function toldBy(observer: PeerClient): Promise<Map<string, readonly string[]>> {
  const told = new Map<string, readonly string[]>();
  for (const event of await observer.told()) if (event[0] === "told") told.set(event[1], event[2].toSorted());
  return told;
}

/** So many turns after one that does not count. */
export async function realTurns(ways: readonly RealWay[], turns: number): Promise<readonly RealRun[]> {
  const runs = ways.map((way) => new RealRun(way));
  for (const run of runs) await run.prepare();
  for (let turn = 0; turn <= turns; turn++) for (const run of rotated(runs, turn)) await run.turn(turn);
  for (const run of runs) run.samples.shift();
  for (const run of runs) await run.check();
  return runs;
}
