/** A real ZEO server: `python -m ZEO.runzeo` with FileStorages, in a folder of its own. */

import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Installed } from "./install.ts";
import { PYTHON_SCRIPTS } from "./install.ts";
import { startPython } from "./processes.ts";
import type { Running } from "./processes.ts";
import { freePort } from "../net/free-port.ts";
import { accepts, greets, LOOPBACK } from "./sockets.ts";

export interface ServerOptions {
  readonly storages?: readonly string[];
  /** `msgpack true` (ZEO 5.1 and later). */
  readonly msgpack?: boolean;
  /** `client-conflict-resolution true` (ZEO 5 and later). */
  readonly clientConflictResolution?: boolean;
  readonly port?: number;
  /** It begins with the storage files of another one's folder, as they are now. */
  readonly copyOf?: string;
  /** A fan-out server: its storages are those of the ZEO server at that port. */
  readonly clientOf?: number;
  /** What it may take of the machine's memory, in MiB. */
  readonly mostMebibytes?: number;
  /** ZEO 5's `ssl`: files; `authenticate` has the authorities of its clients. */
  readonly ssl?: { readonly certificate: string; readonly key: string; readonly authenticate: string };
  /** It listens at a Unix socket of that name in its folder, and at no port. */
  readonly socket?: string;
}

/** One transaction of a FileStorage file. */
export interface TrueTransaction {
  readonly tid: string;
  readonly oids: readonly string[];
}

export interface PeerServer {
  readonly installed: Installed;
  readonly port: number;
  /** Its folder: storage files, blob folders, and room for caches. */
  readonly dir: string;
  blobDir(storage: string): string;
  /** What the storage's file says, read by another process. */
  truth(storage: string): Promise<TrueTransaction[]>;
  /** Ends the process and starts it again after `downMs`, on the same port and files. `graceMs` of 0: it is killed. */
  restart(downMs?: number, graceMs?: number): Promise<void>;
  /** Kills the process; its folder stays. */
  kill(): Promise<void>;
  /** Ends the process and removes the folder. */
  stop(): Promise<void>;
  errors(): string;
}

const START_TIMEOUT_MS = 20_000;

function configuration(dir: string, port: number, options: ServerOptions): string {
  const address = options.socket === undefined ? `${LOOPBACK}:${port}` : join(dir, options.socket);
  const lines = ["<zeo>", `  address ${address}`, `  pid-filename ${join(dir, "zeo.pid")}`];
  // With the default of 100 a client that comes back after a while must drop its cache.
  lines.push("  invalidation-queue-size 10000");
  if (options.msgpack === true) lines.push("  msgpack true");
  if (options.clientConflictResolution === true) lines.push("  client-conflict-resolution true");
  for (const [key, file] of Object.entries(options.ssl ?? {})) {
    if (key === "certificate") lines.push("  <ssl>");
    lines.push(`    ${key} ${file}`);
    if (key === "authenticate") lines.push("  </ssl>");
  }
  lines.push("</zeo>");
  for (const name of options.storages ?? ["1"]) {
    if (options.clientOf !== undefined) {
      lines.push(`<zeoclient ${name}>`, `  server ${LOOPBACK}:${options.clientOf}`, `  storage ${name}`);
      lines.push("  wait true", "</zeoclient>");
      continue;
    }
    lines.push(
      `<filestorage ${name}>`,
      `  path ${join(dir, `${name}.fs`)}`,
      `  blob-dir ${join(dir, `blobs-${name}`)}`,
      // The tests' objects hang on no root.
      "  pack-gc false",
      "</filestorage>",
    );
  }
  lines.push("<eventlog>", "  level WARNING", "  <logfile>", "    path STDERR", "  </logfile>", "</eventlog>", "");
  return lines.join("\n");
}

export async function startServer(installed: Installed, options: ServerOptions = {}): Promise<PeerServer> {
  const dir = await mkdtemp(join(tmpdir(), `zeo-proxy-${installed.peer.name}-`));
  for (const name of options.storages ?? ["1"]) {
    // FileStorage wants its blob folder to be its user's alone.
    await mkdir(join(dir, `blobs-${name}`), { mode: 0o700 });
    if (options.copyOf !== undefined) await copyFile(join(options.copyOf, `${name}.fs`), join(dir, `${name}.fs`));
  }
  const configFile = join(dir, "zeo.conf");
  const deadline = Date.now() + START_TIMEOUT_MS;
  let port = options.port ?? (await freePort());
  let running = await begin();

  function launch(): Running {
    return startPython(installed, ["-m", "ZEO.runzeo", "-C", configFile], {
      cwd: dir,
      env: { ...installed.peer.serverEnv },
      mostMebibytes: options.mostMebibytes,
    });
  }

  /** Starts the process; where the port was taken meanwhile and may be another, tries again. */
  async function begin(): Promise<Running> {
    for (;;) {
      await writeFile(configFile, configuration(dir, port, options));
      const candidate = launch();
      if (await answers(candidate, looks(port))) return candidate;
      await candidate.stop(0);
      if (Date.now() > deadline)
        throw new Error(`${installed.peer.name}: the server does not start\n${candidate.errors()}`);
      port = options.port ?? (await freePort());
    }
  }

  function looks(at: number): () => Promise<boolean> {
    const { socket, ssl } = options;
    if (socket !== undefined) return () => accepts({ path: join(dir, socket) });
    // It says nothing before TLS.
    return ssl === undefined ? () => greets(at, 1000) : () => accepts({ port: at, host: LOOPBACK });
  }

  return {
    installed,
    get port(): number {
      return port;
    },
    dir,
    blobDir: (storage) => join(dir, `blobs-${storage}`),
    truth: (storage) => readTruth(installed, dir, storage),
    errors: () => running.errors(),
    async restart(downMs = 0, graceMs?: number): Promise<void> {
      await running.stop(graceMs);
      await new Promise((resolve) => setTimeout(resolve, downMs));
      running = launch();
      if (!(await answers(running, looks(port))))
        throw new Error(`${installed.peer.name}: no restart\n${running.errors()}`);
    },
    kill: () => running.stop(0),
    async stop(): Promise<void> {
      await running.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Waits until the server is there; false where the process ends before, or takes too long. */
async function answers(running: Running, look: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (running.child.exitCode === null && Date.now() < deadline) {
    if (await look()) return true;
    // There is no event to wait for: until it listens it refuses.
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return false;
}

/** Iterates the storage's file (and the one that a pack left) in a process of the server's own version. */
async function readTruth(installed: Installed, dir: string, storage: string): Promise<TrueTransaction[]> {
  const file = join(dir, `${storage}.fs`);
  const running = startPython(installed, [join(PYTHON_SCRIPTS, "truth.py"), `${file}.old`, file], { cwd: dir });
  running.child.stdin.end();
  let text = "";
  for await (const chunk of running.child.stdout) text += String(chunk);
  await running.stop();
  if (running.child.exitCode !== 0)
    throw new Error(`the file of storage ${storage} is unreadable\n${running.errors()}`);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TrueTransaction);
}
