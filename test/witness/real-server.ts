import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { freePort } from "../net/free-port.ts";
import { install } from "../peers/install.ts";
import { peerNamed } from "../peers/peers.ts";
import { startPython, type Running } from "../peers/processes.ts";
import { greets } from "../peers/sockets.ts";

const PYTHON = fileURLToPath(new URL("python/", import.meta.url));
const START_MS = 20_000;

/** A line for each transaction: its tid, and the oids of its records. In hex. */
export type Listing = readonly (readonly string[])[];

export interface RealServer {
  readonly port: number;
  /** What was in its file at the start. */
  readonly stock: Listing;
  /** What it has logged: warnings and errors. */
  log(): string;
  restart(): Promise<void>;
}

export interface RealOptions {
  /** What stands in its configuration; `DIR` is its folder. */
  readonly storage: string;
  /** The same inside `<zeo>`. */
  readonly zeo?: string;
  /** What is put into `DIR/1.fs` before it starts. */
  readonly stock?: readonly string[];
  /** Files of its folder. */
  readonly files?: Readonly<Record<string, string>>;
}

export const FILE_STORAGE = "<filestorage 1>\n path DIR/1.fs\n blob-dir DIR/blobs\n pack-gc false\n</filestorage>";

/** A server of this peer, in a folder of its own, until the test ends. A string: why there is none. */
export async function realServer(name: string, options: RealOptions): Promise<RealServer | string> {
  const result = await install(peerNamed(name));
  if (result.type === "missing") return result.why;
  const { installed } = result;
  const dir = await mkdtemp(join(tmpdir(), `zeo-proxy-witness-${name}-`));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, "blobs"), { mode: 0o700 });
  // So that the server can import what is in an extension, too.
  const env = { PYTHONPATH: `${installed.packages}:${PYTHON}` };
  const stock = options.stock === undefined ? [] : await listed();
  const port = await freePort();
  const zeo = `<zeo>\n address 127.0.0.1:${port}\n pid-filename DIR/pid\n ${options.zeo ?? ""}\n</zeo>`;
  const log = "<eventlog>\n level WARNING\n <logfile>\n path STDERR\n </logfile>\n</eventlog>";
  const configuration = `${zeo}\n${options.storage}\n${log}\n`.replaceAll("DIR", dir);
  await writeFile(join(dir, "zeo.conf"), configuration);
  for (const [file, text] of Object.entries(options.files ?? {})) await writeFile(join(dir, file), text);
  let running = await begin();
  onTestFinished(() => running.stop());

  async function listed(): Promise<Listing> {
    const stocking = startPython(installed, [join(PYTHON, "stock.py"), dir, ...(options.stock ?? [])], {
      cwd: dir,
      env,
    });
    stocking.child.stdin.end();
    let text = "";
    for await (const chunk of stocking.child.stdout) text += String(chunk);
    await stocking.stop();
    if (stocking.child.exitCode !== 0) throw new Error(stocking.errors());
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as string[]);
  }

  async function begin(): Promise<Running> {
    const starting = startPython(installed, ["-m", "ZEO.runzeo", "-C", join(dir, "zeo.conf")], { cwd: dir, env });
    const until = Date.now() + START_MS;
    while (!(await greets(port, 1_000))) {
      if (starting.child.exitCode !== null || Date.now() > until) throw new Error(starting.errors());
      // There is no event to wait for.
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return starting;
  }

  return {
    port,
    stock,
    log: () => running.errors(),
    async restart(): Promise<void> {
      await running.stop();
      running = await begin();
    },
  };
}
