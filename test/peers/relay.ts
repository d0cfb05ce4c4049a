/**
 * A plain TCP relay that writes on what it reads, and can record the frames of each connection.
 *
 * It stands for "no proxy" where one is compared with the proxy, and on both sides of the proxy it shows what the
 * proxy changed.
 */

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { LOOPBACK } from "./sockets.ts";

export interface RecordedConnection {
  readonly fromClient: Recorder;
  readonly fromServer: Recorder;
}

/** Splits one direction of a connection into frames: a length of four bytes, then that many. */
export class Recorder {
  readonly frames: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readUInt32BE(0);
      if (this.#rest.length < end) return;
      this.frames.push(Buffer.from(this.#rest.subarray(4, end)));
      this.#rest = this.#rest.subarray(end);
    }
  }
}

export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly recorded: RecordedConnection[] = [];
  readonly port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Listens on a free port; each connection is relayed to the port `target` of the same host. */
  static async start(
    target: number,
    options: { readonly record?: boolean; readonly host?: string } = {},
  ): Promise<Relay> {
    const host = options.host ?? LOOPBACK;
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, host);
    await once(server, "listening");
    const relay = new Relay(server);
    server.on("connection", (client) => relay.#join(client, { host, port: target }, options.record === true));
    return relay;
  }

  #join(client: Socket, target: { readonly host: string; readonly port: number }, record: boolean): void {
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const connection: RecordedConnection = { fromClient: new Recorder(), fromServer: new Recorder() };
    if (record) {
      this.recorded.push(connection);
      client.on("data", (chunk: Buffer) => connection.fromClient.add(chunk));
      upstream.on("data", (chunk: Buffer) => connection.fromServer.add(chunk));
    }
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      from.once("error", () => to.destroy());
      from.once("close", () => {
        this.#sockets.delete(from);
        // What was piped goes out first.
        to.end();
      });
    }
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close").catch(() => undefined);
  }
}
