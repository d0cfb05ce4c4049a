import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import { PROJECT } from "../peers/install.ts";
import { startProcess, type Running } from "../peers/processes.ts";
import { greets, LOOPBACK } from "../peers/sockets.ts";
import { pause, until } from "../soak/pause.ts";

/** What was read is overwritten as soon as nobody may look at it any more. */
const FORGET = join(PROJECT, "test", "net", "forget.mjs");
/** Only a hang reaches it. */
const START_MS = 30_000;

/** A line of the proxy's log. */
export interface LogLine {
  readonly level: string;
  readonly at: string;
  readonly msg: string;
  readonly code?: string;
  readonly fault?: string;
  readonly [field: string]: unknown;
}

export interface ProxyPlan {
  readonly name: string;
  readonly folder: string;
  /** Where clients connect; kept when it is started again. */
  readonly port: number;
  readonly server: number;
  readonly witness: "on" | "off" | undefined;
}

/** The built command, as whoever installs it runs it. */
export class ProxyProcess {
  readonly plan: ProxyPlan;
  readonly lines: LogLine[] = [];
  readonly #configFile: string;
  #running: Running | undefined;
  #isMeantToEnd = false;
  /** So many lines are of earlier processes. */
  #began = 0;
  /** How it ended though nobody wanted it to. */
  readonly deaths: string[] = [];

  private constructor(plan: ProxyPlan, configFile: string) {
    this.plan = plan;
    this.#configFile = configFile;
  }

  static async start(plan: ProxyPlan): Promise<ProxyProcess> {
    const { name, folder, port, server, witness } = plan;
    const configFile = join(folder, `${name}.yaml`);
    const config = {
      upstreams: [
        {
          name,
          listen: `${LOOPBACK}:${port}`,
          server: `${LOOPBACK}:${server}`,
          ...(witness !== undefined && { witness }),
        },
      ],
      log: { format: "json", oids: 3 },
      limits: { handshake: "10s", drain: "2s" },
    };
    await writeFile(configFile, stringify(config));
    const proxy = new ProxyProcess(plan, configFile);
    await proxy.begin();
    return proxy;
  }

  /** Starts it: see `serves`. */
  async begin(): Promise<void> {
    this.#isMeantToEnd = false;
    this.#began = this.lines.length;
    const command = join(PROJECT, "bin", "zeo-proxy");
    const args = [`--import=${FORGET}`, command, "run", "--config", this.#configFile];
    const running = startProcess(process.execPath, args, { cwd: this.plan.folder, env: process.env });
    this.#running = running;
    createInterface({ input: running.child.stdout }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as LogLine);
    });
    running.child.once("exit", (code, signal) => {
      if (!this.#isMeantToEnd) this.deaths.push(`${signal ?? code}: ${running.errors()}`);
    });
  }

  /**
   * It serves: it listens, and somebody greets. There is no event, as it listens only while its server answers. (Of another
   * process that had the port before it only the greeting would be seen.)
   */
  serves(): Promise<boolean> {
    const listens = (): boolean => this.lines.slice(this.#began).some(({ msg }) => msg === "listening");
    return until(async () => listens() && (await greets(this.plan.port, 1_000)), START_MS, 30);
  }

  /** SIGKILL, or SIGTERM and its end in order; and again after so long. */
  async restart(how: "kill" | "term", downMs: number): Promise<void> {
    await this.end(how);
    await pause(downMs);
    await this.begin();
  }

  async end(how: "kill" | "term"): Promise<void> {
    this.#isMeantToEnd = true;
    await this.#running?.stop(how === "kill" ? 0 : 20_000);
  }

  /** Its log, for who wants to read it. */
  async keepLog(): Promise<void> {
    const text = this.lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    await writeFile(join(this.plan.folder, `${this.plan.name}.log`), text);
  }
}
