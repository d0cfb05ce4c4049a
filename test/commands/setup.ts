import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Builds the command and the fixture that these tests start, unless they are newer than all that they are built from. */
export default function setup(): void {
  const source = newest(["src", ".ci", "test/commands/fixtures"]);
  if (!isNewer("dist/index.d.ts", source)) run("npm", ["run", "--silent", "build"]);
  if (!isNewer(".cache/commands/test/commands/fixtures/serve.js", source)) {
    run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "test/commands/tsconfig.json"]);
  }
}

/** When the last of the files in these folders was changed. */
function newest(folders: readonly string[]): number {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)),
  );
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

function isNewer(built: string, source: number): boolean {
  return existsSync(built) && statSync(built).mtimeMs > source;
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
}
