/** One server with all clients that reach it: observers that stay, writers, and those that come and go. */

import { expect } from "vitest";
import { PeerProcess } from "./client.ts";
import type { OpenOptions, PeerClient } from "./client.ts";
import { openGateway, openRecordedProxy } from "./gateway.ts";
import type { Gateway, Via } from "./gateway.ts";
import type { Installed } from "./install.ts";
import { judge } from "./judge.ts";
import type { Verdict } from "./judge.ts";
import { Matrix } from "./matrix.ts";
import { startServer } from "./server.ts";
import type { PeerServer, ServerOptions, TrueTransaction } from "./server.ts";

/** Told within this time, or the scenario fails. */
export const TOLD_TIMEOUT_MS = 8000;

interface Tracked {
  readonly client: PeerClient;
  readonly storage: string;
  /** Stays connected to the end. */
  readonly observer: boolean;
  readonly scenario: string;
}

interface Span {
  readonly scenario: string;
  readonly storage: string;
  /** Excluded. */
  readonly after: string;
  readonly upTo: string;
}

export interface StageOptions extends ServerOptions {
  readonly matrix?: Matrix;
  /** Record both sides of the proxy. */
  readonly recorded?: boolean;
  readonly deletes?: boolean;
}

export class Stage {
  readonly server: PeerServer;
  readonly gateway: Gateway;
  /** All that reach this server. */
  readonly kinds: readonly Installed[];
  readonly matrix: Matrix;
  readonly #processes = new Map<string, PeerProcess>();
  readonly #tracked: Tracked[] = [];
  readonly #spans: Span[] = [];
  readonly #truth = new Map<string, Map<string, Set<string>>>();
  /** By storage: tids of empty transactions, which leave no trace in the file. */
  readonly #empty = new Map<string, Set<string>>();
  /** The one that is being played. */
  scenario = "";
  /** May writers delete objects, which no server announces? */
  readonly deletes: boolean;

  private constructor(
    server: PeerServer,
    gateway: Gateway,
    kinds: readonly Installed[],
    { matrix, deletes }: StageOptions,
  ) {
    this.server = server;
    this.gateway = gateway;
    this.kinds = kinds;
    this.matrix = matrix ?? new Matrix(server.installed.peer.name);
    this.deletes = deletes !== false;
  }

  static async open(
    installed: Installed,
    kinds: readonly Installed[],
    via: Via,
    options: StageOptions,
  ): Promise<Stage> {
    const server = await startServer(installed, options);
    try {
      const recorded = options.recorded === true && via === "proxy";
      const gateway = await (recorded ? openRecordedProxy(server.port) : openGateway(via, server.port));
      return new Stage(server, gateway, kinds, options);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** The one process of this kind that does a `role`. */
  async process(kind: Installed, role: "writer" | "observer"): Promise<PeerProcess> {
    const key = `${kind.peer.name} ${role}`;
    let process = this.#processes.get(key);
    if (process === undefined) {
      process = await PeerProcess.start(kind, this.server.dir);
      this.#processes.set(key, process);
    }
    return process;
  }

  /** Opens a client whose record is judged at the end. */
  async open(process: PeerProcess, options: OpenOptions = {}, observer = false): Promise<PeerClient> {
    const client = process.reserve();
    await client.open(this.gateway.port, options);
    this.#tracked.push({ client, storage: options.storage ?? "1", observer, scenario: this.scenario });
    return client;
  }

  /** Opens an observer of `storage` for each kind; they stay to the end. */
  async openObservers(storage: string, options: OpenOptions = {}): Promise<void> {
    for (const kind of this.kinds) {
      await this.open(await this.process(kind, "observer"), { storage, ...options }, true);
    }
  }

  observers(storage = "1"): PeerClient[] {
    return this.#tracked.filter((t) => t.observer && t.storage === storage).map((t) => t.client);
  }

  /** All observers of the storage are told of `tid`, or of a later one, in bounded time. */
  async settled(tid: string, storage = "1"): Promise<void> {
    if (this.gateway.via !== "proxy") return;
    const observers = this.observers(storage);
    const told = await Promise.all(observers.map((observer) => observer.waitTold(tid, TOLD_TIMEOUT_MS)));
    const untold = observers.filter((_, i) => told[i] !== true).map((observer) => observer.kind);
    expect(untold, `not told of ${tid} within ${TOLD_TIMEOUT_MS} ms`).toEqual([]);
  }

  /** Remembers which transactions of a storage belong to a scenario. */
  span(scenario: string, storage: string, after: string, upTo: string): void {
    this.#spans.push({ scenario, storage, after, upTo });
  }

  committedEmpty(tid: string, storage = "1"): void {
    const set = this.#empty.get(storage) ?? new Set();
    set.add(tid);
    this.#empty.set(storage, set);
  }

  /** Reads the storage's file now and adds what is new. A pack drops history, so read before the next. */
  async readTruth(storage: string): Promise<void> {
    const known = this.#truth.get(storage) ?? new Map<string, Set<string>>();
    this.#truth.set(storage, known);
    for (const { tid, oids } of await this.server.truth(storage)) {
      const set = known.get(tid) ?? new Set();
      for (const oid of oids) set.add(oid);
      known.set(tid, set);
    }
  }

  truth(storage: string): TrueTransaction[] {
    return [...(this.#truth.get(storage) ?? [])]
      .map(([tid, oids]) => ({ tid, oids: [...oids] }))
      .sort((a, b) => (a.tid < b.tid ? -1 : 1));
  }

  /** Reads all files, judges all clients, and fills the matrix. The answer: what is wrong, in words. */
  async judge(): Promise<string[]> {
    const problems: string[] = [];
    const storages = [...new Set(this.#tracked.map((t) => t.storage))];
    for (const storage of storages) await this.readTruth(storage);
    for (const { client, storage, observer, scenario } of this.#tracked) {
      const truth = { transactions: this.truth(storage), empty: this.#empty.get(storage) ?? new Set<string>() };
      const verdict = judge(await client.told(), truth, { toTheEnd: observer });
      const who = `${client.kind} ${observer ? "observer" : `client of "${scenario}"`} of storage ${storage}`;
      problems.push(...verdict.problems.map((problem) => `${who}: ${problem}${this.#nameOf(problem, storage)}`));
      if (observer) this.#count(client.kind, storage, verdict);
      if (observer && verdict.extras > 0) problems.push(`${who}: ${verdict.extras} oids too many`);
    }
    return problems;
  }

  /** In which scenario the first tid of a problem was committed. */
  #nameOf(problem: string, storage: string): string {
    const tid = /\b04[0-9a-f]{14}\b/.exec(problem)?.[0];
    const span = this.#spans.find((s) => tid !== undefined && s.storage === storage && s.after < tid && tid <= s.upTo);
    return span === undefined ? "" : ` (${span.scenario})`;
  }

  #count(kind: string, storage: string, verdict: Verdict): void {
    for (const span of this.#spans.filter((s) => s.storage === storage)) {
      const cell = this.matrix.cell(kind, span.scenario);
      for (const [tid, told] of verdict.told) {
        if (tid <= span.after || tid > span.upTo) continue;
        cell.ofCommits++;
        cell.ofOids += told.of;
        cell.oids += told.oids;
        if (told.wasTold) cell.commits++;
      }
    }
  }

  /** What the proxy says of itself: no session ended by it, no None, nothing for the guard. */
  expectUnharmed(): void {
    const stats = this.gateway.stats();
    if (stats === undefined) return;
    const { ended, tooOld, guard } = stats;
    expect({ ended, tooOld, guard }, this.gateway.ended.join("; ")).toEqual({ ended: {}, tooOld: 0, guard: 0 });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.stop()));
    await this.gateway.stop();
    await this.server.stop();
  }
}
