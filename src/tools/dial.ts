import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Target } from "./target.ts";

/** How TLS is spoken with a server. */
export interface TlsClient {
  /** PEM; undefined: the certificates that Node trusts. */
  readonly ca?: Buffer;
  /** PEM, of the client, where the server wants one. */
  readonly certificate?: Buffer;
  readonly key?: Buffer;
  /** What the certificate must name; undefined: the host that is dialled. */
  readonly name?: string;
  /** False: a certificate that can't be verified is taken, too. */
  readonly verify: boolean;
}

/** Nobody looks for a half-open peer longer than that: a host that has gone is found out. */
const KEEP_ALIVE_MS = 30_000;

/** A socket that is being connected; `ready` names the event behind which it can be written to. */
export interface Dialling {
  readonly socket: Socket;
  readonly ready: "connect" | "secureConnect";
}

/** Dials a target, with TLS where `tls` is given. An error is an `error` event of the socket. */
export function dialTarget(target: Target, tls?: TlsClient): Dialling {
  const socket = connectTcp({
    ...(target.kind === "unix" ? { path: target.path } : target.address),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  if (tls === undefined) return { socket, ready: "connect" };
  return { socket: secured(socket, target, tls), ready: "secureConnect" };
}

function secured(socket: Socket, target: Target, { ca, certificate, key, name, verify }: TlsClient): TLSSocket {
  const host = name ?? (target.kind === "tcp" ? target.address.host : undefined);
  const options: ConnectionOptions = { socket, minVersion: "TLSv1.2", rejectUnauthorized: verify };
  if (ca !== undefined) options.ca = ca;
  if (certificate !== undefined) options.cert = certificate;
  if (key !== undefined) options.key = key;
  if (host !== undefined) {
    options.host = host;
    // An address is no server name (RFC 6066, section 3).
    if (isIP(host) === 0) options.servername = host;
  }
  const secure = connectTls(options);
  // What befalls the socket below shows in the upper one only once that is connected.
  socket.once("error", (error) => secure.destroy(error));
  return secure;
}
