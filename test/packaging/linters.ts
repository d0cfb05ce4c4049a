import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";

/** A program that checks what others read of ours: as `.ci/linters` has fetched it, else that of the machine. */
export interface Linter {
  /** False where there is none; whoever needs it is skipped then. */
  readonly isThere: boolean;
  readonly run: (...args: string[]) => { readonly status: number | null; readonly output: string };
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
}

const UNPACKED = resolve(".cache/linters");

export function linter(folder: string, name: string, versionOption: string): Linter {
  const unpacked = `${UNPACKED}/${folder}/${name}`;
  const program = existsSync(unpacked) ? unpacked : name;
  const env = { ...process.env, LD_LIBRARY_PATH: librariesIn(`${UNPACKED}/usr/lib`).join(":") };
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env });
    return { status, output: `${stdout}${stderr}` };
  };
  return { isThere: run(versionOption).status === 0, run, program, env };
}

/** Debian has a folder there for each kind of machine. */
function librariesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((one) => one.isDirectory() && one.name.includes("-linux-"))
    .map(({ name }) => `${folder}/${name}`);
}
