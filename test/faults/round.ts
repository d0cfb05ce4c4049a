import { copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../net/free-port.ts";
import { install, PROJECT, type Installed } from "../peers/install.ts";
import { peerNamed } from "../peers/peers.ts";
import { startPython } from "../peers/processes.ts";
import { startServer, type PeerServer } from "../peers/server.ts";
import { Random } from "../simulate/random.ts";
import { pause } from "../soak/pause.ts";
import type { Finding } from "./finding.ts";
import { History, type TrueTransaction } from "./history.ts";
import type { Options } from "./options.ts";
import type { Plan } from "./plan.ts";
import { planted } from "./planted.ts";
import { ProxyProcess } from "./proxy-process.ts";
import { storm, type Done } from "./storm.ts";
import { Troupe, type ActorPlan, type InMemory } from "./troupe.ts";
import { Weather } from "./weather.ts";

/** All that a round leaves to be judged. */
export interface Evidence {
  readonly history: History;
  /** Texts of what the clients' processes have written down. */
  readonly records: readonly string[];
  /** Copies of cache files, by their names: of each leaving, and of each death. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly memories: ReadonlyMap<string, InMemory>;
  /** Who hears of everything, and is there at the end. */
  readonly there: ReadonlySet<string>;
  readonly logs: readonly Pick<ProxyProcess, "plan" | "lines">[];
  readonly done: Done;
  /** What went wrong before anything could be compared. */
  readonly findings: readonly Finding[];
}

const OBJECTS = 10;
/** How long the last transaction may take to be known by all who are connected. Only a hang reaches it. */
const PATIENCE_SECONDS = 10;
const CLIENTS_NAME = "client";
/** A client that has found nobody waits for 10 s, and for 10 s more until it is open; ZODB3 for 30 s when it is closed. */
const CALM_SECONDS = 60;

/** Plays one round; undefined where the server's Python is missing. */
export async function playRound(plan: Plan, options: Options, folder: string): Promise<Evidence | string> {
  const result = await install(peerNamed(plan.server));
  if (result.type === "missing") return result.why;
  const server = await startServer(result.installed, { msgpack: plan.msgpack });
  const round = new Round(plan, options, folder, result.installed, server);
  try {
    return await round.play();
  } finally {
    await round.end();
  }
}

class Round {
  readonly #plan: Plan;
  readonly #options: Options;
  readonly #folder: string;
  readonly #installed: Installed;
  readonly #server: PeerServer;
  readonly #random: Random;
  readonly #proxies: ProxyProcess[] = [];
  readonly #weathers: Weather[] = [];
  readonly #troupes: readonly [staying: Troupe, writing: Troupe, visiting: Troupe];
  readonly #findings: Finding[] = [];
  #copies = 0;
  /** Where clients connect. */
  #fronts: readonly number[] = [];

  constructor(plan: Plan, options: Options, folder: string, installed: Installed, server: PeerServer) {
    this.#plan = plan;
    this.#options = options;
    this.#folder = folder;
    this.#installed = installed;
    this.#server = server;
    this.#random = new Random(plan.seed).fork(1);
    const troupe = (name: string): Troupe => new Troupe(name, installed, folder);
    this.#troupes = [troupe("staying"), troupe("writing"), troupe("visiting")];
  }

  async play(): Promise<Evidence> {
    const [, writing, visiting] = this.#troupes;
    await mkdir(join(this.#folder, "copies"));
    await mkdir(join(this.#folder, "caches"));
    const { behind, before } = await this.#build();
    await Promise.all(this.#troupes.map((troupe) => troupe.start()));
    const shared = await writing.create(this.#server.port, OBJECTS);
    await this.#enter(shared, before);
    const over = new AbortController();
    const storming = storm(
      {
        server: this.#server,
        proxies: this.#proxies,
        before,
        behind,
        troupe: visiting,
        keepCopies: () => this.#keepCopies(),
      },
      this.#plan.causes,
      this.#random.fork(2),
      over.signal,
    );
    await pause(this.#options.seconds * 1000);
    over.abort();
    const done = await storming;
    for (const weather of this.#weathers) weather.clearUp();
    return this.#rest(done, shared);
  }

  async #build(): Promise<{ behind: Weather; before: Weather[] }> {
    const { before: climate, behind: climateBehind, proxies } = this.#plan;
    const port = await freePort();
    const behind = await Weather.start(port, this.#server.port, climateBehind, this.#random.fork(3));
    this.#weathers.push(behind);
    const before: Weather[] = [];
    for (let i = 1; i <= proxies; i++) {
      const plan = { name: `proxy-${i}`, folder: this.#folder, port: await freePort(), server: port };
      const proxy = await ProxyProcess.start({ ...plan, witness: this.#options.witness });
      this.#proxies.push(proxy);
      if (!(await proxy.serves())) throw new Error(`${plan.name} does not start: ${proxy.deaths.join("; ")}`);
      const tamper = this.#options.plant ? planted : undefined;
      before.push(await Weather.start(await freePort(), plan.port, climate, this.#random.fork(3 + i), tamper));
    }
    this.#weathers.push(...before);
    return { behind, before };
  }

  /** Some are at each proxy. */
  async #enter(shared: readonly string[], before: readonly Weather[]): Promise<void> {
    const [staying, writing, visiting] = this.#troupes;
    this.#fronts = before.map((weather) => weather.port);
    const [first = 0, last = first] = this.#fronts;
    const actor = (name: string, role: ActorPlan["role"], port: number, more: Partial<ActorPlan> = {}): ActorPlan => ({
      name,
      role,
      port,
      seed: this.#random.below(1_000_000),
      shared,
      ...more,
    });
    const cache = (name: string): Partial<ActorPlan> => ({ cache: join(this.#folder, "caches", name) });
    const direct = this.#plan.causes.has("direct")
      ? [actor("direct", "writer", this.#server.port, { told: false })]
      : [];
    await Promise.all([
      staying.enter([
        actor("observer-1", "observer", first),
        actor("observer-2", "observer", last, { db: true }),
        actor("poller", "poller", first),
      ]),
      visiting.enter([
        actor("visitor-1", "visitor", first, cache("visitor-1")),
        actor("visitor-2", "visitor", last, cache("visitor-2")),
        actor("writer-3", "writer", first, cache("writer-3")),
      ]),
    ]);
    await writing.enter([actor("writer-1", "writer", first), actor("writer-2", "writer", last), ...direct]);
  }

  /** Nothing is broken any more: everyone hears of everything, and is looked at. */
  async #rest(done: Done, shared: readonly string[]): Promise<Evidence> {
    for (const proxy of this.#proxies) {
      if (!(await proxy.serves())) this.#find("stuck", proxy.plan.name, "it does not serve, though its server does");
    }
    const troupes = [...this.#troupes];
    if (this.#plan.causes.has("server-kills")) await this.#wake();
    this.#stuck(await Promise.all(troupes.map((troupe) => troupe.calm(CALM_SECONDS))));
    this.#stuck(await Promise.all(troupes.map((troupe) => troupe.back(CALM_SECONDS))));
    await this.#settle(shared);
    const memories = new Map<string, InMemory>();
    for (const contents of await Promise.all(troupes.map((troupe) => troupe.contents()))) {
      for (const [name, memory] of Object.entries(contents)) memories.set(name, memory);
    }
    await Promise.all(troupes.map((troupe) => troupe.close()));
    for (const proxy of this.#proxies) {
      await proxy.end("term");
      for (const death of proxy.deaths) this.#find("stuck", proxy.plan.name, `it ended: ${death}`);
    }
    return {
      history: await this.#history(),
      records: await Promise.all(troupes.map((troupe) => readFile(troupe.recordFile, "utf8"))),
      files: await this.#files(),
      there: new Set(memories.keys()),
      memories,
      logs: this.#proxies,
      done,
      findings: this.#findings,
    };
  }

  /**
   * A server that was killed may have told of a transaction that its file does not have (FileStorage tells before it commits),
   * and one of ZODB3 was seen to name such a tid as its last when it had started again. Clients that have seen that refuse the
   * server until somebody has committed; only one without a cache can.
   */
  async #wake(): Promise<void> {
    const [, writing] = this.#troupes;
    await writing.create(this.#fronts[0] ?? 0, 1);
  }

  #stuck(answers: readonly (readonly string[])[]): void {
    for (const what of answers.flat()) this.#find("stuck", CLIENTS_NAME, what);
  }

  /**
   * All are to know of the last transaction, with nobody writing any more. Where they don't, one more is committed, which
   * may bring what was owed: the rest is compared all the same.
   */
  async #settle(shared: readonly string[]): Promise<void> {
    const [, writing] = this.#troupes;
    const { last } = await this.#history();
    const untold = await this.#behind(last, PATIENCE_SECONDS);
    if (untold.length === 0) return;
    for (const [name, tid, isConnected] of untold) {
      this.#find("not told at rest", name, `${isConnected ? "" : "not connected, "}at ${tid} instead of ${last}`);
      if (!isConnected)
        this.#find("not told at rest", name, this.#weathers.flatMap((one) => one.connections).join(", "));
    }
    try {
      await writing.commit("writer-1", shared.slice(0, 1));
    } catch (error) {
      this.#find("stuck", "writer-1", String(error));
    }
    const again = await this.#history();
    for (const [name, tid] of await this.#behind(again.last, PATIENCE_SECONDS)) {
      this.#find("stuck", name, `at ${tid} instead of ${again.last}, though somebody has committed`);
    }
  }

  async #behind(tid: string, seconds: number) {
    return (await Promise.all(this.#troupes.map((troupe) => troupe.behind(tid, seconds)))).flat();
  }

  /** Read from the server's file by a process of its own. */
  async #history(): Promise<History> {
    const script = join(PROJECT, "test", "faults", "python", "history.py");
    const file = join(this.#server.dir, "1.fs");
    const running = startPython(this.#installed, [script, file], { cwd: this.#folder });
    running.child.stdin.end();
    let text = "";
    for await (const chunk of running.child.stdout) text += String(chunk);
    await running.stop();
    if (running.child.exitCode !== 0) throw new Error(`the server's file is unreadable: ${running.errors()}`);
    const lines = text.split("\n").filter((line) => line !== "");
    return new History(lines.map((line) => JSON.parse(line) as TrueTransaction));
  }

  /** Of those whose process was killed. */
  async #keepCopies(): Promise<void> {
    const from = join(this.#folder, "caches");
    for (const file of (await readdir(from)).filter((name) => name.endsWith(".zec"))) {
      const name = file.slice(0, file.indexOf("-1.zec"));
      await copyFile(join(from, file), join(this.#folder, "copies", `${name}.killed.${++this.#copies}.zec`));
    }
  }

  async #files(): Promise<Map<string, Buffer>> {
    const folder = join(this.#folder, "copies");
    const files = new Map<string, Buffer>();
    for (const name of await readdir(folder)) files.set(name, await readFile(join(folder, name)));
    return files;
  }

  #find(kind: Finding["kind"], who: string, detail: string): void {
    this.#findings.push({ kind, who, detail });
  }

  async end(): Promise<void> {
    for (const troupe of this.#troupes) await troupe.stop();
    for (const proxy of this.#proxies) {
      await proxy.end("kill");
      await proxy.keepLog();
    }
    for (const weather of this.#weathers) await weather.stop();
    await this.#server.stop();
  }
}
