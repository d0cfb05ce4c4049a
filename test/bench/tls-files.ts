import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The tests' certificates, seen from where this is compiled to: .cache/bench/test/bench */
const FOLDER = new URL("../../../../test/fixtures/tls/", import.meta.url);

export function pem(name: string): string {
  return readFileSync(new URL(name, FOLDER), "utf8");
}

/** Copies of some that nobody else can read, as the proxy wants its keys, until this process ends. */
export function ownFiles(...names: readonly string[]): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const name of names) {
    copyFileSync(new URL(name, FOLDER), join(folder, name));
    chmodSync(join(folder, name), 0o600);
  }
  return (name) => join(folder, name);
}
