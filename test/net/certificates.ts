import { copyFileSync, chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// `test/fixtures/tls`: certificates of one authority (`ca.pem`) for the proxy (proxy.example, localhost, 127.0.0.1), a server
// (zeo.example, 127.0.0.1) and a client (client.example); one that has signed itself (`stranger`); and the proxy's key with a
// passphrase. They are good until 2126, and nobody else's.

const FOLDER = fileURLToPath(new URL("../fixtures/tls", import.meta.url));

export function fixture(name: string): string {
  return join(FOLDER, name);
}

export interface Copies {
  /** A path in the folder. */
  at(name: string): string;
  /** A copy of a fixture, readable for its owner alone: a checkout makes them readable for everybody. */
  of(name: string, as?: string): string;
  remove(): void;
}

/** A folder of a test's own. */
export function copies(): Copies {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-tls-"));
  const at = (name: string): string => join(folder, name);
  return {
    at,
    of: (name, as = name) => {
      copyFileSync(fixture(name), at(as));
      chmodSync(at(as), 0o600);
      return at(as);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
