import { isIPv4, isIPv6 } from "node:net";
import { normalize } from "node:path/posix";

/** A TCP port. `host` is an IPv4 or IPv6 address (without brackets) or a name. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
  readonly path?: undefined;
}

/** A Unix socket: an absolute path, normalized. */
export interface UnixAddress {
  readonly path: string;
  readonly host?: undefined;
  readonly port?: undefined;
}

/** Where to listen or to dial. */
export type Address = TcpAddress | UnixAddress;

/** The system keeps so many bytes of a path, and a zero behind them (`sun_path` in unix(7)). */
const MAX_PATH_BYTES = 107;

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/**
 * Reads an absolute path, or `HOST:PORT`: `/run/zeo.sock`, `127.0.0.1:8100`, `[::1]:8100`, `zeo.example.com:8100`.
 * @returns undefined when the text is anything else
 */
export function parseAddress(text: string): Address | undefined {
  return text.startsWith("/") ? parsePath(text) : parseTcpAddress(text);
}

/** An absolute path of at most 107 bytes, as the system has no room for more; nothing that a log would have to escape. */
export function parsePath(text: string): UnixAddress | undefined {
  if (Buffer.byteLength(text) > MAX_PATH_BYTES || text.endsWith("/") || CONTROL.test(text)) return undefined;
  const path = normalize(text);
  return path === "/" ? undefined : { path };
}

/**
 * Reads `HOST:PORT`, an IPv6 address in brackets.
 * Port 0 is read too; whether it is allowed is for the caller to say.
 * @returns undefined when the text is anything else
 */
export function parseTcpAddress(text: string): TcpAddress | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(0|[1-9]\d{0,4})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65535) return undefined;
  const [, inner, plain] = match;
  if (inner !== undefined) return isIPv6(inner) ? { host: inner, port } : undefined;
  if (plain === undefined || !(isIPv4(plain) || isName(plain))) return undefined;
  return { host: plain, port };
}

/** Writes an address as {@link parseAddress} reads it. */
export function formatAddress({ host, port, path }: Address): string {
  if (path !== undefined) return path;
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A host in one spelling, so that equal hosts are equal strings. */
export function canonicalHost(host: string): string {
  if (!isIPv6(host)) return host.toLowerCase().replace(/\.$/, "");
  const [address = "", zone] = host.split("%");
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  return zone === undefined ? canonical : `${canonical}%${zone}`;
}

/** Whether two listening addresses can't be bound at the same time. Two ports 0 can. */
export function sameListener(a: Address, b: Address): boolean {
  if (a.path !== undefined || b.path !== undefined) return a.path === b.path;
  if (a.port !== b.port || a.port === 0) return false;
  const [x, y] = [canonicalHost(a.host), canonicalHost(b.host)];
  if (x === y || x === "::" || y === "::") return true;
  if (x === "0.0.0.0") return !isIPv6(y);
  if (y === "0.0.0.0") return !isIPv6(x);
  return bothLocalhost(x, y);
}

/** Whether dialling `server` certainly reaches `listen`, as far as the text alone can tell. */
export function reaches(server: Address, listen: Address): boolean {
  if (server.path !== undefined || listen.path !== undefined) return server.path === listen.path;
  if (server.port !== listen.port || listen.port === 0) return false;
  const [x, y] = [canonicalHost(server.host), canonicalHost(listen.host)];
  if (x === y || bothLocalhost(x, y)) return true;
  if (y === "::") return isLocal(x);
  return y === "0.0.0.0" && isLocal(x) && !isIPv6(x);
}

/** A name's last label has a letter: `300.1.1.1` and `8100` are mistyped addresses, not names. */
function isName(text: string): boolean {
  const labels = text.replace(/\.$/, "").split(".");
  return text.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? "");
}

function bothLocalhost(x: string, y: string): boolean {
  return (x === "localhost" && isLoopbackName(y)) || (y === "localhost" && isLoopbackName(x));
}

function isLoopbackName(host: string): boolean {
  return host === "127.0.0.1" || host === "::1" || host === "localhost";
}

/** Reaches this machine from itself alone, as far as the text can tell. */
export function isLoopback(host: string): boolean {
  const canonical = canonicalHost(host);
  return isLoopbackName(canonical) || /^(?:127\.|::ffff:7f)/.test(canonical);
}

/** Loopback, or the unspecified address, which a dial takes for this machine. */
function isLocal(host: string): boolean {
  return isLoopbackName(host) || (isIPv4(host) && host.startsWith("127.")) || host === "0.0.0.0" || host === "::";
}
