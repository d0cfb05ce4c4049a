import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mostDescriptors } from "./process-figures.ts";

const TRIES = 3;
const CONNECTIONS = 20_000;
/** Descriptors that are no connections. */
const OTHERS = 100;

/** Its first line says its version; undefined where it is not installed. */
export function haproxyVersion(): string | undefined {
  const { status, stdout } = spawnSync("haproxy", ["-v"], { encoding: "utf8" });
  return status === 0 ? (/version (\S+)/.exec(stdout)?.[1] ?? "?") : undefined;
}

export function haproxyConfig(port: number, serverPort: number): string {
  // Each connection has two descriptors, and it doesn't start where it could not have all of them.
  const most = Math.min(CONNECTIONS, Math.floor(((mostDescriptors() ?? Infinity) - OTHERS) / 2));
  return `global
  maxconn ${most}
  nbthread 1

defaults
  mode tcp
  maxconn ${most}
  backlog 4096
  timeout connect 10s
  timeout client 1h
  timeout server 1h

listen zeo
  bind 127.0.0.1:${port}
  server stand-in 127.0.0.1:${serverPort}
`;
}

/** HAProxy in TCP mode, as a process of its own. */
export class Haproxy {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, port: number, folder: string) {
    this.#process = child;
    this.port = port;
    this.#folder = folder;
    // Unlike the benchmark's own processes it doesn't see that nobody is there any more.
    process.once("exit", this.#kill);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** `prefix` goes before the command. */
  static async start(serverPort: number, prefix: readonly string[] = []): Promise<Haproxy> {
    // It can't say which port the system has chosen: one that was free a moment ago may be taken meanwhile.
    for (let tries = 1; ; tries++) {
      try {
        return await Haproxy.#start(serverPort, prefix);
      } catch (error) {
        if (tries === TRIES) throw error;
      }
    }
  }

  readonly #kill = (): void => {
    this.#process.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  };

  async stop(): Promise<void> {
    process.off("exit", this.#kill);
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = new Promise((resolve) => this.#process.once("exit", resolve));
      this.#process.kill("SIGTERM");
      await ended;
    }
    await rm(this.#folder, { recursive: true });
  }

  static async #start(serverPort: number, prefix: readonly string[]): Promise<Haproxy> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), "zeo-proxy-bench-"));
    const file = join(folder, "haproxy.cfg");
    await writeFile(file, haproxyConfig(port, serverPort));
    const [command, ...args] = [...prefix, "haproxy", "-db", "-f", file];
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
    const haproxy = new Haproxy(child, port, folder);
    let isGone = false;
    child.once("exit", () => (isGone = true));
    while (!(await answers(port))) {
      if (!isGone) continue;
      await haproxy.stop();
      throw new Error(`HAProxy ended: ${words}`);
    }
    return haproxy;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Does anybody listen there? Where nobody does, says so after a moment. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => setTimeout(() => resolve(false), 10));
  });
}
