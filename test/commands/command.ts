import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";

/** How a process ended. */
export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A JSON line of the log. */
export type Line = Readonly<Record<string, unknown>>;

const DEADLINE_MS = 15_000;
const running = new Set<ChildProcess>();

/** A process of the command, its output read as it comes. Every wait ends after 15 seconds with what was read so far. */
export class CommandProcess {
  readonly child: ChildProcess;
  #stdout = "";
  #stderr = "";
  readonly #lines: Line[] = [];
  /** What of standard output is not in `lines` yet. */
  #unparsed = "";
  #ended: Ending | undefined;
  #changed: (() => void)[] = [];

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    running.add(this.child);
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#unparsed += text;
      this.#change();
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#change();
    });
    this.child.on("close", (status, signal) => {
      running.delete(this.child);
      this.#ended = { status, signal, stdout: this.#stdout, stderr: this.#stderr };
      this.#change();
    });
  }

  /** The complete lines of standard output so far that are JSON. */
  get lines(): readonly Line[] {
    const added = this.#unparsed.split("\n");
    this.#unparsed = added.pop() ?? "";
    for (const line of added) if (line.startsWith("{")) this.#lines.push(JSON.parse(line) as Line);
    return this.#lines;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  ended(): Promise<Ending> {
    return this.until(() => this.#ended, "its end");
  }

  /** The first log line that fits, already written or to come. */
  line(fits: (line: Line) => boolean, what: string): Promise<Line> {
    let seen = 0;
    const look = () => {
      const found = this.lines.slice(seen).find(fits);
      seen = this.lines.length;
      return found;
    };
    return this.until(look, what);
  }

  /** The first value that `look` gives after any output. */
  async until<T>(look: () => T | undefined, what: string): Promise<T> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const value = look();
      if (value !== undefined) return value;
      const left = deadline - Date.now();
      if (left <= 0 || (this.#ended !== undefined && what !== "its end")) throw new Error(this.#missing(what));
      // oxlint-disable-next-line no-await-in-loop -- each turn waits for new output
      await this.#nextChange(left);
    }
  }

  #missing(what: string): string {
    const state =
      this.#ended === undefined ? "still running" : `ended with ${this.#ended.status ?? this.#ended.signal}`;
    return `waited in vain for ${what}; ${state}\n--- stdout\n${this.#stdout.slice(-2000)}\n--- stderr\n${this.#stderr.slice(-2000)}`;
  }

  #nextChange(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#changed.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #change(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const wake of waiting) wake();
  }
}

/** Starts `zeo-proxy` with these arguments. */
export function zeoProxy(args: readonly string[], env: NodeJS.ProcessEnv = {}): CommandProcess {
  return new CommandProcess(process.execPath, ["bin/zeo-proxy", ...args], env);
}

/** Ends what a failed test left running. */
export function killRest(): void {
  for (const child of running) child.kill("SIGKILL");
}
