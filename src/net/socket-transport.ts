import { connect, createServer, type AddressInfo } from "node:net";
import type { Address } from "../config/address.ts";
import type { Dialled, Listened, Transport } from "../upstream/transport.ts";
import { SocketConnection } from "./socket-connection.ts";
import { codeOf } from "./system-error.ts";

const OPTIONS = { allowHalfOpen: true, noDelay: true, keepAlive: true };

/** Connections over TCP. */
export class SocketTransport implements Transport {
  dial({ host, port }: Address, dialled: Dialled): () => void {
    const socket = connect({ host, port, ...OPTIONS });
    const failed = (error: Error): void => dialled.failed(codeOf(error));
    socket.once("error", failed);
    socket.once("connect", () => {
      socket.removeListener("error", failed);
      dialled.connected(new SocketConnection(socket));
    });
    return () => {
      if (!socket.connecting) return;
      socket.removeListener("error", failed);
      socket.on("error", () => undefined);
      socket.destroy();
    };
  }

  listen({ host, port }: Address, listened: Listened): () => void {
    let isGivenUp = false;
    const server = createServer(OPTIONS, (socket) => {
      if (isGivenUp) socket.destroy();
      else listened.accepted(new SocketConnection(socket));
    });
    server.once("error", (error) => {
      if (!isGivenUp) listened.failed(codeOf(error), error);
    });
    server.listen({ host, port }, () => {
      if (isGivenUp) {
        server.close();
        return;
      }
      server.removeAllListeners("error");
      // A later error of the listening socket (out of file descriptors) is no reason to stop.
      server.on("error", () => undefined);
      listened.listening({ host, port: (server.address() as AddressInfo).port });
    });
    return () => {
      isGivenUp = true;
      if (server.listening) server.close();
    };
  }
}
