/** Finds Python interpreters by `major.minor`: those of pyenv first, then those on the PATH. */

import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Runs a command; its output, or undefined where it fails or takes longer than `timeoutMs`. */
function output(command: string, args: readonly string[], timeoutMs = 20_000): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, [...args], { timeout: timeoutMs }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : undefined);
    });
  });
}

function newestFirst(a: string, b: string): number {
  const as = a.split(".").map(Number);
  const bs = b.split(".").map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = (bs[i] ?? 0) - (as[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

async function pyenvCandidates(version: string): Promise<string[]> {
  const root = (await output("pyenv", ["root"])) ?? process.env["PYENV_ROOT"];
  if (root === undefined) return [];
  const versions = join(root, "versions");
  const names = await readdir(versions).catch(() => []);
  return names
    .filter((name) => name.startsWith(`${version}.`) && /^[0-9.]+$/.test(name))
    .sort(newestFirst)
    .map((name) => join(versions, name, "bin", "python"));
}

const found = new Map<string, Promise<string | undefined>>();

/** Path of an interpreter of exactly this `major.minor` that has pip, or undefined. */
export function findPython(version: string): Promise<string | undefined> {
  let answer = found.get(version);
  if (answer === undefined) {
    answer = search(version);
    found.set(version, answer);
  }
  return answer;
}

async function search(version: string): Promise<string | undefined> {
  const candidates = [...(await pyenvCandidates(version)), `python${version}`, "python3", "python2", "python"];
  for (const candidate of candidates) {
    // A pyenv shim may exist without a Python behind it, so each candidate is run.
    const said = await output(candidate, [
      "-c",
      "import sys, pip; sys.stdout.write('%d.%d %s' % (sys.version_info[0], sys.version_info[1], sys.executable))",
    ]);
    if (said?.startsWith(`${version} `) === true) return said.slice(version.length + 1);
  }
  return undefined;
}
