/** Processes of the tests: each in its own group, ended with it, none outlives the test run. */

import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import type { Installed } from "./install.ts";
import { PYTHON_SCRIPTS } from "./install.ts";

/** Enough for Python's 1,000 levels; ZEO 4 has a thread for each connection. */
const STACK_KIB = 2048;

const groups = new Set<number>();

process.once("exit", () => {
  for (const group of groups) killGroup(group, "SIGKILL");
});

function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It has ended by itself.
  }
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** The last lines of standard error. */
  errors(): string;
  /** Asks it to end (SIGTERM), makes it after `graceMs`, and waits for its end. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts Python with a peer's packages and the test's own modules on its path. */
export function startPython(
  installed: Installed,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string>>;
    /** MiB of memory that it may write, the stacks of its threads with it. */
    readonly mostMebibytes?: number | undefined;
  },
): Running {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PYTHONPATH: `${installed.packages}:${PYTHON_SCRIPTS}`,
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONUNBUFFERED: "1",
    PYTHONWARNINGS: "ignore",
    ...options.env,
  };
  const { cwd, mostMebibytes } = options;
  if (mostMebibytes === undefined) return startProcess(installed.python, args, { cwd, env });
  const limited = `ulimit -d ${mostMebibytes * 1024} && ulimit -s ${STACK_KIB} && exec "$@"`;
  return startProcess("sh", ["-c", limited, "sh", installed.python, ...args], { cwd, env });
}

export function startProcess(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Running {
  const child = spawn(command, [...args], { cwd: options.cwd, env: options.env, detached: true, stdio: "pipe" });
  const group = child.pid;
  if (group !== undefined) groups.add(group);
  let tail = "";
  child.stderr.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-6000);
  });
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close").catch(() => undefined);
  void ended.then(() => {
    if (group !== undefined) groups.delete(group);
  });
  return {
    child,
    errors: () => tail,
    async stop(graceMs = 3000): Promise<void> {
      if (group === undefined) return;
      killGroup(group, graceMs === 0 ? "SIGKILL" : "SIGTERM");
      const timer = setTimeout(() => killGroup(group, "SIGKILL"), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
