/**
 * Installs the pinned peers with pip's `--target` into `.cache/peers/NAME`, once.
 *
 * A folder appears under its final name only when it is complete (rename), so an interrupted install leaves
 * nothing that looks installed; two installs at once are harmless.
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PEERS, peerNamed } from "./peers.ts";
import type { Peer } from "./peers.ts";
import { findPython } from "./pythons.ts";

/** The project's folder. This file also runs compiled, in a folder of its own. */
export const PROJECT = projectAbove(dirname(fileURLToPath(import.meta.url)));
export const PYTHON_SCRIPTS = join(PROJECT, "test", "peers", "python");
export const CACHE = join(PROJECT, ".cache", "peers");

function projectAbove(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : projectAbove(dirname(folder));
}

const INSTALL_TIMEOUT_MS = 600_000;

/** An installed peer: what is needed to start a process of it. */
export interface Installed {
  readonly peer: Peer;
  readonly python: string;
  /** For `PYTHONPATH`. */
  readonly packages: string;
}

export type InstallResult =
  | { readonly type: "installed"; readonly installed: Installed; readonly seconds: number }
  | { readonly type: "missing"; readonly peer: Peer; readonly why: string };

/**
 * Packages under `PYTHONPATH` get their `.pth` files ignored; the namespace packages of old `zope.*` need them.
 * Python imports a `sitecustomize` at its start.
 */
const SITECUSTOMIZE = `import os
import site

site.addsitedir(os.path.dirname(os.path.abspath(__file__)))
`;

/** The pip that came with these Pythons doesn't know the wheels (manylinux2014) of their last packages. */
const OLD_PIP: ReadonlySet<string> = new Set(["2.7", "3.6"]);

async function fingerprint(peer: Peer): Promise<string> {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([peer.python, peer.packages, peer.suitePackages ?? [], SITECUSTOMIZE]));
  if (peer.patch !== undefined) hash.update(await readFile(patchFile(peer.patch)));
  return hash.digest("hex");
}

function patchFile(name: string): string {
  return join(PYTHON_SCRIPTS, "patches", `${name}.py`);
}

/** Runs to its end; rejects with the last lines of output where it fails or takes too long. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let tail = "";
    const keep = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-4000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, INSTALL_TIMEOUT_MS);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.slice(0, 4).join(" ")} ...: exit ${code ?? signal}\n${tail}`));
    });
  });
}

async function installPackages(peer: Peer, python: string): Promise<string> {
  const target = join(CACHE, peer.name);
  const marker = join(target, "complete");
  const wanted = await fingerprint(peer);
  if (existsSync(marker) && (await readFile(marker, "utf8")) === wanted) return target;

  const partial = `${target}.partial-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const env: NodeJS.ProcessEnv = { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: "1", PYTHONDONTWRITEBYTECODE: "1" };
  delete env["PYTHONPATH"];
  const pip = (into: string, packages: readonly string[], path?: string): Promise<void> =>
    run(
      python,
      ["-m", "pip", "install", "--quiet", "--prefer-binary", "--target", into, ...packages],
      path === undefined ? env : { ...env, PYTHONPATH: path },
    );
  let newerPip: string | undefined;
  if (OLD_PIP.has(peer.python)) {
    newerPip = `${partial}-pip`;
    await pip(newerPip, ["pip==20.3.4"]);
  }
  await pip(partial, [...peer.packages, ...(peer.suitePackages ?? [])], newerPip);
  if (newerPip !== undefined) await rm(newerPip, { recursive: true, force: true });
  await writeFile(join(partial, "sitecustomize.py"), SITECUSTOMIZE);
  if (peer.patch !== undefined) await run(python, [patchFile(peer.patch), partial], { ...env, PYTHONPATH: partial });
  await run(python, ["-c", "import ZEO.runzeo, ZEO.ClientStorage, ZODB.DB"], { ...env, PYTHONPATH: partial });
  await run(python, ["-m", "compileall", "-q", partial], env).catch(() => undefined);
  await writeFile(join(partial, "complete"), wanted);
  await rm(target, { recursive: true, force: true });
  await rename(partial, target).catch(async (error: unknown) => {
    await rm(partial, { recursive: true, force: true });
    // Another install was quicker.
    if (!existsSync(marker)) throw error;
  });
  return target;
}

/** Installs one peer, or says why it can't be had. A failing pip rejects: that is an error, not a missing Python. */
export async function install(peer: Peer): Promise<InstallResult> {
  const began = performance.now();
  const python = await findPython(peer.python);
  if (python === undefined) return { type: "missing", peer, why: `no Python ${peer.python} found` };
  const owner = peer.sameAs === undefined ? peer : peerNamed(peer.sameAs);
  const packages = await installPackages(owner, python);
  return { type: "installed", installed: { peer, python, packages }, seconds: (performance.now() - began) / 1000 };
}

/** Installs all peers, two at a time. */
export async function installAll(say: (line: string) => void): Promise<InstallResult[]> {
  const queue = PEERS.filter((peer) => peer.sameAs === undefined);
  const work = async (): Promise<InstallResult[]> => {
    const results: InstallResult[] = [];
    for (let peer = queue.shift(); peer !== undefined; peer = queue.shift()) {
      const result = await install(peer);
      if (result.type === "missing") say(`peers: ${peer.name} is skipped: ${result.why}`);
      else if (result.seconds > 5) say(`peers: ${peer.name} installed in ${result.seconds.toFixed(0)} s`);
      results.push(result);
    }
    return results;
  };
  return (await Promise.all([work(), work()])).flat();
}
