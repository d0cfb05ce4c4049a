import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { ConfigInput, ProxyStats } from "../../src/index.ts";
import { Child } from "../bench/child.ts";
import { counted, isAtRest, type Measure } from "./measure.ts";
import { until } from "./pause.ts";
import type { News, RunnerAsks } from "./runner-asks.ts";

/** Low, so that what a real site meets in months is met here in a minute. */
export const LIMITS = {
  clients: 120,
  frame: "16MiB",
  memory: "32MiB",
  history: "256KiB",
  handshake: "6s",
  stalled: "20s",
  drain: "5s",
} as const satisfies ConfigInput["limits"];

export const HANDSHAKE_MS = 6_000;

/** What was read is overwritten as soon as nobody may look at it any more. (The compiled module is in `.cache`.) */
const FORGET = new URL("../../../../test/net/forget.mjs", import.meta.url).href;

/** Only a hang reaches these. */
const REST_MS = 30_000;
const STOP_MS = 20_000;

export interface Front {
  readonly name: string;
  readonly server: number;
}

/** The proxy, as a process of its own with a file for its configuration. */
export class ProxyProcess {
  readonly logFile: string;
  readonly #child: Child<RunnerAsks>;
  #ports = new Map<string, number>();

  private constructor(child: Child<RunnerAsks>, logFile: string) {
    this.#child = child;
    this.logFile = logFile;
  }

  /** `witness`: of which storages there is one from the start on, as it stays when its clients have gone. */
  static async start(fronts: readonly Front[], witness: readonly string[], folder: string): Promise<ProxyProcess> {
    const configFile = join(folder, "zeo-proxy.yaml");
    const logFile = join(folder, "zeo-proxy.log");
    const upstreams = fronts.map(({ name, server }) => ({
      name,
      listen: "127.0.0.1:0",
      witness: witness.length > 0 ? ("on" as const) : ("off" as const),
      storages: [...witness],
      server: `127.0.0.1:${server}`,
    }));
    await writeFile(configFile, stringify({ upstreams, limits: LIMITS, log: { oids: 0 } }));
    const runner = fileURLToPath(new URL("./runner.js", import.meta.url));
    const proxy = new ProxyProcess(
      new Child(runner, [configFile, logFile], ["--expose-gc", `--import=${FORGET}`]),
      logFile,
    );
    const { upstreams: bound } = await proxy.#child.ask("started", undefined);
    for (const { name, listen } of bound) proxy.#ports.set(name, Number(listen?.split(":").at(-1)));
    return proxy;
  }

  port(name: string): number {
    return this.#ports.get(name) ?? 0;
  }

  stats(): Promise<ProxyStats> {
    return this.#child.ask("stats", undefined);
  }

  news(): Promise<News> {
    return this.#child.ask("news", undefined);
  }

  /** `collect`: after collecting garbage. */
  async measure(collect: boolean): Promise<Measure> {
    const { resources, ...inside } = await this.#child.ask("inside", { collect });
    const [stats, descriptors] = await Promise.all([this.stats(), descriptorsOf(this.#child.pid)]);
    const clients = stats.upstreams.reduce((sum, upstream) => sum + upstream.clients, 0);
    return { clients, descriptors: counted(descriptors), resources: counted(resources), ...inside };
  }

  /** Waits until whatever clients had open has gone, and measures; what has not gone by then stays in the measure. */
  async atRest(fresh: Measure): Promise<Measure> {
    await until(async () => isAtRest(fresh, await this.measure(false)), REST_MS, 200);
    return this.measure(true);
  }

  /** SIGTERM. The answer: its exit status, or what had to end it. */
  async stop(): Promise<number | string> {
    this.#child.signal("SIGTERM");
    let how: number | string | undefined;
    void this.#child.ended.then((status) => (how = status));
    if (!(await until(() => how !== undefined, STOP_MS))) {
      this.#child.signal("SIGKILL");
      return "SIGKILL, since SIGTERM did not end it";
    }
    return how ?? 0;
  }

  kill(): void {
    this.#child.signal("SIGKILL");
  }

  /** The lines of its log of these levels. */
  async lines(levels: readonly string[]): Promise<{ level: string; msg: string; text: string }[]> {
    const text = await readFile(this.logFile, "utf8").catch(() => "");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({ ...(JSON.parse(line) as { level: string; msg: string }), text: line }))
      .filter(({ level }) => levels.includes(level));
  }
}

/** What a process has open, by kind. */
export async function descriptorsOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => undefined)));
  // One that is gone since it was listed is none.
  return links.flatMap((link) => (link === undefined ? [] : [/^([a-z_]+):/.exec(link)?.[1] ?? "file"]));
}
