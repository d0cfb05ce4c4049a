import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Address } from "../config/address.ts";
import type { Dialled, Door, Listened, Origin, Transport } from "../upstream/transport.ts";
import { shortage } from "./descriptors.ts";
import { Doorway } from "./doorway.ts";
import { Reading, remade } from "./reading.ts";
import { SocketConnection } from "./socket-connection.ts";
import { codeOf } from "./system-error.ts";

/**
 * What the system adds: it asks a host that has been silent for so long ten times, a second apart, before it gives it up
 * (libuv sets both).
 */
const PROBES_MS = 10_000;

/**
 * So much may wait for a server before it counts as behind: some chunks. At Node's 16 KiB the sender of a blob would be left
 * unread, and read again, for nearly each piece of it, which costs more than to pass it. Not so for clients: there are many, and
 * how long one takes nothing counts from when it is behind.
 */
const QUEUE_BYTES = 256 * 1024;

/** Connections over TCP. */
export class SocketTransport implements Transport {
  readonly #options: { readonly keepAliveInitialDelay: number; readonly [name: string]: unknown };
  readonly #dialling: { readonly keepAliveInitialDelay: number; readonly [name: string]: unknown };

  /** `keepAliveMs`: how long a host may be gone before a connection to it that nobody writes to is closed. */
  constructor(keepAliveMs: number) {
    // Whole seconds; with 0 the system's two hours would hold.
    const keepAliveInitialDelay = Math.max(1_000, keepAliveMs - PROBES_MS);
    this.#options = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay };
    this.#dialling = { ...this.#options, writableHighWaterMark: QUEUE_BYTES };
  }

  dial({ host, port }: Address, dialled: Dialled): () => void {
    const reading = new Reading();
    const socket = connect({ host, port, ...this.#dialling, onread: reading.onread });
    socket.pause();
    const failed = (error: Error): void => dialled.failed(codeOf(error));
    socket.once("error", failed);
    socket.once("connect", () => {
      socket.removeListener("error", failed);
      dialled.connected(new SocketConnection(socket, reading));
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
    const doorway = new Doorway(listened.door ?? OPEN, (socket, origin) =>
      listened.accepted(connectionOf(socket, origin)),
    );
    const server = createServer({ ...this.#options, pauseOnConnect: true }, (socket) => {
      if (isGivenUp) socket.destroy();
      else doorway.come(socket);
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
      // No memory, say. (Of want of descriptors nothing is said here: Node closes who comes. See `shortage`.)
      server.on("error", (error) => {
        if (!isGivenUp) listened.hindered(codeOf(error));
      });
      listened.listening({ host, port: (server.address() as AddressInfo).port });
    });
    return () => {
      isGivenUp = true;
      doorway.close();
      if (server.listening) server.close();
    };
  }

  shortage(descriptors: number): string | undefined {
    return shortage(descriptors);
  }
}

/** Everybody may come in. */
const OPEN: Door = {
  headerMs: () => undefined,
  lacksHeader: () => undefined,
  admits: () => true,
  leaves: () => undefined,
};

function connectionOf(accepted: Socket, origin: Origin): SocketConnection {
  const reading = new Reading();
  const socket = remade(accepted, reading);
  return new SocketConnection(socket ?? accepted, socket === undefined ? undefined : reading, origin);
}
