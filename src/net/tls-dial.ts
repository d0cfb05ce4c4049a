import type { Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Address } from "../config/address.ts";
import type { ServerTlsConfig } from "../config/transport-schema.ts";
import type { Credentials } from "./credentials.ts";

/** Whom a server must be. */
export interface ServerIdentity {
  readonly credentials: Credentials<ServerTlsConfig>;
  readonly names: (server: Address) => ServerNames;
}

export interface ServerNames {
  /** What it is asked for (SNI); undefined where it has an address only. */
  readonly askedName: string | undefined;
  /** A name or an address: what its certificate must be for. Undefined where that is not looked at. */
  readonly name: string | undefined;
}

/** Begins TLS on a connection to a server. `secure` is called once it is known who that is; what fails is the socket's `error`. */
export function beginTls(
  socket: Socket,
  server: Address,
  { credentials, names }: ServerIdentity,
  queueBytes: number,
  secure: () => void,
): TLSSocket {
  const { askedName, name } = names(server);
  const options: ConnectionOptions & { readonly allowHalfOpen: boolean; readonly highWaterMark: number } = {
    socket,
    secureContext: credentials.context,
    rejectUnauthorized: credentials.settings.verify === "on",
    allowHalfOpen: true,
    highWaterMark: queueBytes,
    // The certificate is compared with this one where no name is asked for.
    ...(name !== undefined && { host: name }),
    ...(askedName !== undefined && { servername: askedName }),
  };
  return connect(options, secure);
}
