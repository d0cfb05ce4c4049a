import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type AddressInfo, type Socket } from "node:net";
import { createServer, type TlsOptions, type TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import { fixture } from "../net/certificates.ts";

/** A server that speaks TLS before one that does not, and notes what certificate each of its clients shows. */
export interface TlsServer {
  readonly port: number;
  /** Common names, in the order of the connections; undefined: none was shown. */
  readonly shown: (string | undefined)[];
  /** Another certificate, and its key, for connections that begin now: names of fixtures. */
  readonly becomes: (name: string) => void;
  /** All connections that there are break. */
  readonly cut: () => void;
}

function credentials(name: string): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(fixture(`${name}.pem`)), key: readFileSync(fixture(`${name}.key`)) };
}

/** `name`: of the fixtures of its certificate and key. It asks for a certificate, and takes any. */
export async function tlsBefore(port: number, name: string): Promise<TlsServer> {
  const shown: (string | undefined)[] = [];
  const open = new Set<Socket>();
  const options: TlsOptions = { ...credentials(name), requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, (client: TLSSocket) => {
    shown.push(/CN ?= ?(\S+)/.exec(client.getPeerX509Certificate()?.subject ?? "")?.[1]);
    const behind = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      open.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    shown,
    becomes: (next) => server.setSecureContext({ ...credentials(next) }),
    cut,
  };
}
