import type { AdminConfig } from "../config/admin.ts";
import { parsePath } from "../config/address.ts";
import type { Target } from "./target.ts";

/** Where a proxy's admin server is asked. */
export interface AdminPlace {
  readonly target: Target;
  /** What messages call it. */
  readonly name: string;
  /** The request's `Host`. */
  readonly host: string;
  /** What stands before the path of each page; it ends with a slash. */
  readonly root: string;
  readonly isSecure: boolean;
}

/** Reads `HOST:PORT`, a URL, or the absolute path of a Unix socket. @returns undefined for anything else */
export function parseAdmin(text: string): AdminPlace | undefined {
  if (text.startsWith("/")) return pathPlace(text);
  const url = /^https?:\/\//.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url)) return undefined;
  const { username, search, hash, host, hostname, port, pathname, protocol } = new URL(url);
  if (username !== "" || search !== "" || hash !== "" || hostname === "" || port === "0") return undefined;
  const isSecure = protocol === "https:";
  const address = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (isSecure ? 443 : 80)) };
  const root = pathname.endsWith("/") ? pathname : `${pathname}/`;
  return { target: { kind: "tcp", address }, name: host, host, root, isSecure };
}

/**
 * Where the proxy of that configuration is asked on its own machine.
 * @returns undefined with port 0: nobody knows which one it has
 */
export function placeOf({ listen, tls }: AdminConfig): AdminPlace | undefined {
  const isSecure = tls !== undefined;
  if (listen.path !== undefined) return pathPlace(listen.path, isSecure);
  const { port } = listen;
  if (port === 0) return undefined;
  const host = HERE.get(listen.host) ?? listen.host;
  const name = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return { target: { kind: "tcp", address: { host, port } }, name, host: "localhost", root: "/", isSecure };
}

/** Who listens at all addresses is reached at this one. */
const HERE: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

function pathPlace(text: string, isSecure = false): AdminPlace | undefined {
  const path = parsePath(text)?.path;
  if (path === undefined) return undefined;
  return { target: { kind: "unix", path }, name: path, host: "localhost", root: "/", isSecure };
}
