import { isIP } from "node:net";
import type { Breach } from "./rules.ts";
import type { UpstreamConfig } from "./schema.ts";
import { isProblem, readTlsFiles, type TlsFiles } from "./tls-files.ts";

/** What no single value shows of how an upstream's two sides are reached, and whether its certificates and keys fit. */
export function checkTransport(upstream: UpstreamConfig, index: number): Breach[] {
  const { listen, socket, tls, serverTls } = upstream;
  const breaches: Breach[] = [];
  const add = (path: readonly string[], message: string): void => {
    breaches.push({ path: ["upstreams", index, ...path], message });
  };
  if (socket !== undefined && listen.path === undefined) {
    add(["socket"], "expected a listening address that is a path, got HOST:PORT");
  }
  if (tls !== undefined) {
    const { ca, clients } = tls;
    if (ca === undefined && clients !== "none") add(["tls", "clients"], `expected a ca for ${clients}, got none`);
    if (ca !== undefined && clients === "none") add(["tls", "ca"], "expected clients: optional or required, got none");
    for (const { option, message } of problemsOf(tls)) add(["tls", option], message);
  }
  if (serverTls !== undefined) {
    const { certificate, key, verify } = serverTls;
    if (certificate !== undefined && key === undefined) {
      add(["server-tls", "certificate"], "expected its key as well, got none");
    }
    if (key !== undefined && certificate === undefined) {
      add(["server-tls", "key"], "expected its certificate as well, got none");
    }
    const isNameless = [upstream.server, ...upstream.standbys].some(
      (server) => serverName({ server, serverTls }) === undefined,
    );
    if (verify === "on" && isNameless) {
      add(["server-tls"], "expected the name that the server's certificate has, as a path has none, got nothing");
    }
    for (const { option, message } of problemsOf(serverTls)) add(["server-tls", option], message);
  }
  return breaches;
}

/** What the server's certificate must be for: a name, or an address. Undefined where the configuration has neither. */
export function serverName({ server, serverTls }: Pick<UpstreamConfig, "server" | "serverTls">): string | undefined {
  return serverTls?.name ?? server.host;
}

/** What a server is asked for: by the standard a name only (RFC 6066). */
export function askedName(upstream: Pick<UpstreamConfig, "server" | "serverTls">): string | undefined {
  const name = serverName(upstream);
  return name === undefined || isIP(name) !== 0 ? undefined : name.replace(/\.$/, "");
}

function problemsOf(files: TlsFiles) {
  const read = readTlsFiles(files);
  return isProblem(read) ? read : [];
}
