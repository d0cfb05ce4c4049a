import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import type { Cores } from "./cores.ts";
import { haproxyConfig } from "./haproxy.ts";
import { cpuUs } from "./process-figures.ts";
import type { RelayAsks } from "./relay.ts";
import type { Result } from "./result.ts";
import type { ServerAsks } from "./server.ts";
import { spread } from "./statistics.ts";
import type { RelayWay } from "./ways.ts";

/** Where this is compiled to, and the project's own folder. */
const HERE = new URL(".", import.meta.url);
const ROOT = new URL("../../../../", HERE);
const COMMAND = [process.execPath, fileURLToPath(new URL("bin/zeo-proxy", ROOT))];
const CONFIG = fileURLToPath(new URL("config/zeo-proxy.yaml", ROOT));

/** What starting took. */
interface Started {
  readonly ms: number;
  readonly cpuMs: number;
}

type Starts = Partial<Record<RelayWay, readonly Started[]>>;

/** `zeo-proxy check`, and HAProxy's, from the start of the process to its end. */
export async function startOfCheck(rounds: number, ways: readonly RelayWay[], cores: Cores): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "zeo-proxy-bench-"));
  const file = join(folder, "haproxy.cfg");
  await writeFile(file, haproxyConfig(1, 2));
  const commands = new Map<RelayWay, readonly string[]>([["proxy", [...COMMAND, "check", CONFIG]]]);
  if (ways.includes("haproxy")) commands.set("haproxy", ["haproxy", "-c", "-f", file]);
  const starts = new Map<RelayWay, Started[]>();
  for (const [way, command] of commands) {
    const runs = Array.from({ length: rounds }, () => timed([...cores.relays, ...command]));
    starts.set(way, runs);
  }
  await rm(folder, { recursive: true });
  return resultOf("start-check", "check of a configuration", rounds, Object.fromEntries(starts));
}

/** `zeo-proxy run`, and the plain pipe, from the start of the process until it listens. */
export async function startOfRun(rounds: number, cores: Cores): Promise<Result> {
  const server = new Child<ServerAsks>(fileURLToPath(new URL("server.js", HERE)), ["unpatched"], [], cores.ends);
  const pipe: Started[] = [];
  const proxy: Started[] = [];
  try {
    const port = await server.ask("port", undefined);
    for (let round = 0; round < rounds; round++) {
      pipe.push(await startPipe(port, cores));
      proxy.push(await startProxy(port, cores));
    }
  } finally {
    await server.stop();
  }
  return resultOf("start-run", "start until it listens", rounds, { pipe, proxy });
}

/** Bash tells what a command that has ended has used. */
function timed(command: readonly string[]): Started {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>/dev/null';
  const { status, stderr } = spawnSync("bash", ["-c", script, "bash", ...command], { encoding: "utf8" });
  const [seconds = Number.NaN, user = 0, system = 0] = (stderr ?? "").trim().split(" ").map(Number);
  if (status !== 0) throw new Error(`${command.join(" ")}: status ${status}`);
  return { ms: seconds * 1000, cpuMs: (user + system) * 1000 };
}

async function startPipe(serverPort: number, cores: Cores): Promise<Started> {
  const start = performance.now();
  const file = fileURLToPath(new URL("relay.js", HERE));
  const child = new Child<RelayAsks>(file, ["pipe", String(serverPort)], [], cores.relays);
  await child.ask("port", undefined);
  const started = { ms: performance.now() - start, cpuMs: (cpuUs(child.pid) ?? Number.NaN) / 1000 };
  await child.stop();
  return started;
}

async function startProxy(serverPort: number, cores: Cores): Promise<Started> {
  const args = ["run", "--listen", "127.0.0.1:0", "--server", `127.0.0.1:${serverPort}`];
  const start = performance.now();
  const [command, ...before] = [...cores.relays, ...COMMAND];
  const proxy = spawn(command as string, [...before, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(proxy, "exit");
  let log = "";
  const listening = new Promise<void>((resolve) => {
    proxy.stdout.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes('"msg":"listening"')) resolve();
    });
  });
  await Promise.race([listening, ended]);
  const started = { ms: performance.now() - start, cpuMs: (cpuUs(proxy.pid ?? 0) ?? Number.NaN) / 1000 };
  proxy.kill("SIGTERM");
  await ended;
  if (!log.includes('"msg":"listening"')) throw new Error(`zeo-proxy did not listen: ${log}`);
  return started;
}

function resultOf(name: string, title: string, rounds: number, starts: Starts): Result {
  const of = (value: (started: Started) => number): Record<string, ReturnType<typeof spread>> =>
    Object.fromEntries(Object.entries(starts).map(([way, all]) => [way, spread(all.map(value))]));
  const { pipe, proxy } = starts;
  const ratio = (value: (started: Started) => number): ReturnType<typeof spread> =>
    spread((proxy ?? []).map((started, i) => value(started) / value((pipe ?? [])[i] ?? started)));
  return {
    name,
    title,
    unit: "ms",
    lessIsBetter: true,
    turns: rounds,
    quiet: rounds,
    figure: of(({ ms }) => ms),
    cpuUnit: "ms",
    cpu: of(({ cpuMs }) => cpuMs),
    ratios:
      pipe === undefined ? {} : { "proxy:pipe": { figure: ratio(({ ms }) => ms), cpu: ratio((one) => one.cpuMs) } },
    goals: [],
  };
}
