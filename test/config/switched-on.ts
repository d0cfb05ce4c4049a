import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** What is off in a configuration, in a comment: an option, or a map with its options, from its first line to its last. */
export interface Block {
  readonly key: string;
  readonly first: number;
  readonly last: number;
}

/** What must be otherwise elsewhere for it. */
const BESIDES: Readonly<Record<string, [at: RegExp, line: string]>> = {
  servers: [/^ {4}server: .*$/m, ""],
  socket: [/^ {4}listen: .*$/m, "    listen: /run/zeo-proxy/main.sock"],
};

/** The files that examples name, until the tests of the file end. */
export class ExampleFiles {
  readonly #folder = mkdtempSync(join(tmpdir(), "zeo-proxy-example-"));

  constructor() {
    afterAll(() => rmSync(this.#folder, { recursive: true }));
    this.#copy("certificate", ["proxy.pem", "clients.pem", "zeo.pem", "admin.pem"]);
    this.#copy("key", ["proxy.key", "admin-key.pem"]);
  }

  /**
   * A configuration with these blocks switched on, on a machine that has the files and the accounts.
   * @param uncommented a line without its comment sign
   */
  switchedOn(text: string, blocks: readonly Block[], uncommented: (line: string) => string): string {
    const isIn = (at: number): boolean => blocks.some(({ first, last }) => at >= first && at <= last);
    const lines = text.split("\n").map((line, at) => (isIn(at) ? uncommented(line) : line));
    let on = lines.join("\n");
    for (const { key } of blocks) {
      const [at, line] = BESIDES[key] ?? [/$^/, ""];
      on = on.replace(at, line);
    }
    return on
      .replaceAll("/etc/zeo-proxy", this.#folder)
      .replace(/^( *owner): zeo$/m, "$1: 0")
      .replace(/^( *group): zope$/m, "$1: 0");
  }

  #copy(from: string, names: readonly string[]): void {
    for (const name of names) {
      copyFileSync(`test/admin/fixtures/${from}.pem`, join(this.#folder, name));
      chmodSync(join(this.#folder, name), 0o600);
    }
  }
}
