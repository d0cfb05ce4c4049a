import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PROJECT } from "../peers/install.ts";
import { findPython } from "../peers/pythons.ts";

/** Pinned, as it is for the peers. */
const PACKAGE = "prometheus_client==0.22.1";
const PYTHON = "3.12";
const FOLDER = join(PROJECT, ".cache", "prometheus", PACKAGE);
const SCRIPT = fileURLToPath(new URL("python/parse.py", import.meta.url));

export interface Family {
  /** A counter's without its `_total`. */
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly (readonly [name: string, labels: Readonly<Record<string, string>>, value: string])[];
}

/** Prometheus's parser for Python, installed where it was not; undefined: there is no such Python. */
export async function prometheusParser(): Promise<((text: string) => Family[]) | undefined> {
  const python = await findPython(PYTHON);
  if (python === undefined) {
    if (process.env["ZEO_PEERS"] === "required") throw new Error(`ZEO_PEERS=required, but: no Python ${PYTHON} found`);
    return undefined;
  }
  if (!existsSync(FOLDER)) install(python);
  return (text) => {
    const env = { ...process.env, PYTHONPATH: FOLDER, PYTHONDONTWRITEBYTECODE: "1" };
    const { status, stdout, stderr } = spawnSync(python, [SCRIPT], { input: text, env, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr.slice(-2000));
    return JSON.parse(stdout) as Family[];
  };
}

/** Whole or not at all, as another one may install, too. */
function install(python: string): void {
  const partial = `${FOLDER}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", partial, PACKAGE];
  const { status, stderr } = spawnSync(python, args, { encoding: "utf8", timeout: 120_000 });
  if (status !== 0) throw new Error(`${PACKAGE}: ${stderr.slice(-2000)}`);
  try {
    renameSync(partial, FOLDER);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(FOLDER)) throw error;
  }
}
