import { realpathSync } from "node:fs";
import type { UpstreamConfig } from "../config/schema.ts";
import { askedName } from "../config/transport-rules.ts";
import { lookUp } from "../net/look-up.ts";

/**
 * By what it is known which server an upstream's is: two that have one of these in common are one. A port may lead to several
 * servers, by the name that they are asked for with TLS. One of the two is told, once, and not while this runs.
 * @returns what cancels it
 */
export function findKeys(
  upstream: UpstreamConfig,
  found: (keys: readonly string[]) => void,
  failed: (code: string) => void,
): () => void {
  const { server, serverTls } = upstream;
  if (server.path !== undefined) {
    const { path } = server;
    const timer = setImmediate(() => found([realPath(path)]));
    return () => clearImmediate(timer);
  }
  const asked = serverTls === undefined ? "" : ` ${(askedName(upstream) ?? "").toLowerCase()}`;
  return lookUp(server, (addresses) => found(addresses.map((one) => `${one} ${server.port}${asked}`)), failed);
}

/** One that is not there has no other name yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
