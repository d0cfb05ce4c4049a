import { join } from "node:path";
import { PeerProcess } from "../peers/client.ts";
import type { Installed } from "../peers/install.ts";
import { PROJECT } from "../peers/install.ts";
import type { Held } from "./cache-file.ts";

const SCRIPT = join(PROJECT, "test", "faults", "python", "actors.py");

/** Who acts, and where it connects (see `python/actors.py`). */
export interface ActorPlan {
  readonly name: string;
  readonly role: "observer" | "poller" | "visitor" | "writer";
  readonly port: number;
  readonly seed: number;
  readonly shared: readonly string[];
  /** The path of its persistent cache, without what ZEO puts behind it. */
  readonly cache?: string;
  readonly db?: boolean;
  /** Is it behind a proxy, so that it hears of everything? */
  readonly told?: boolean;
}

/** What a client that is there has in memory. */
export interface InMemory {
  readonly tid: string;
  readonly current: readonly (readonly [oid: string, serial: string, checksum: number])[];
  /** Of the application's connection. */
  readonly objects: readonly (readonly [oid: string, serial: string])[];
}

export type Behind = readonly [name: string, tid: string, isConnected: boolean];

/** Only hangs reach these. A client that has found nobody waits for 10 s, and for 10 s more until it is open. */
const SHORT_MS = 30_000;
const LONG_MS = 90_000;

/** A process of clients that act by themselves. */
export class Troupe {
  readonly name: string;
  readonly #installed: Installed;
  readonly #folder: string;
  #process: PeerProcess | undefined;
  #plans: readonly ActorPlan[] = [];
  kills = 0;

  constructor(name: string, installed: Installed, folder: string) {
    this.name = name;
    this.#installed = installed;
    this.#folder = folder;
  }

  get recordFile(): string {
    return join(this.#folder, `${this.name}.jsonl`);
  }

  async start(): Promise<void> {
    this.#process = await PeerProcess.start(this.#installed, this.#folder, SCRIPT);
    await this.#call("start", { record: this.recordFile, copies: join(this.#folder, "copies") }, SHORT_MS);
  }

  /** A new client makes so many objects in one transaction. */
  create(port: number, count: number): Promise<string[]> {
    return this.#call("create", { port, count }, LONG_MS);
  }

  async enter(plans: readonly ActorPlan[]): Promise<void> {
    this.#plans = plans;
    await this.#call("enter", { actors: plans }, SHORT_MS);
  }

  /** SIGKILL, and others with the same names and cache files in its place; `meanwhile` when it has ended. */
  async killAndReplace(seed: number, meanwhile: () => Promise<void>): Promise<void> {
    await this.#process?.kill();
    this.kills++;
    await meanwhile();
    await this.start();
    await this.enter(this.#plans.map((plan, i) => ({ ...plan, seed: seed + i })));
  }

  /** Who does not come to rest by then, or could not go on, is in the answer. */
  calm(seconds: number): Promise<string[]> {
    return this.#call("calm", { seconds }, seconds * 1000 + SHORT_MS);
  }

  /** The visitors come once more, and stay. The answer: who does not. */
  back(seconds: number): Promise<string[]> {
    return this.#call("back", { seconds }, seconds * 1000 + SHORT_MS);
  }

  /** Who does not know of `tid`, so many seconds after all were connected. */
  behind(tid: string, seconds: number): Promise<Behind[]> {
    return this.#call("behind", { tid, seconds }, seconds * 1000 + LONG_MS);
  }

  commit(name: string, oids: readonly string[]): Promise<string> {
    return this.#call("commit", { name, oids }, SHORT_MS);
  }

  contents(): Promise<Record<string, InMemory>> {
    return this.#call("contents", {}, SHORT_MS);
  }

  /** All leave, and their cache files are copied. */
  async close(): Promise<void> {
    await this.#call("close", {}, LONG_MS);
    await this.stop();
  }

  async stop(): Promise<void> {
    await this.#process?.kill();
  }

  errors(): string {
    return this.#process?.errors() ?? "";
  }

  #call<T>(op: string, args: object, timeoutMs: number): Promise<T> {
    if (this.#process === undefined) throw new Error(`${this.name} has not been started`);
    return this.#process.call(this.name, op, args, timeoutMs) as Promise<T>;
  }
}

export function held({ current }: InMemory): Held[] {
  return current.map(([oid, serial, checksum]) => ({ oid, serial, checksum }));
}
