import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Address } from "../config/address.ts";
import type { Dialled, Listened, Transport } from "../upstream/transport.ts";
import { shortage } from "./descriptors.ts";
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
  #keepAliveMs: number;

  /** `keepAliveMs`: how long a host may be gone before a connection to it that nobody writes to is closed. */
  constructor(keepAliveMs: number) {
    this.#keepAliveMs = keepAliveMs;
  }

  /** Another one for the connections that are made, and the clients that come, from now on. */
  set keepAliveMs(keepAliveMs: number) {
    this.#keepAliveMs = keepAliveMs;
  }

  get #options(): { readonly keepAliveInitialDelay: number; readonly [name: string]: unknown } {
    // Whole seconds; with 0 the system's two hours would hold.
    const keepAliveInitialDelay = Math.max(1_000, this.#keepAliveMs - PROBES_MS);
    return { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay };
  }

  dial({ host, port }: Address, dialled: Dialled): () => void {
    const reading = new Reading();
    const options: { readonly [name: string]: unknown } = { ...this.#options, writableHighWaterMark: QUEUE_BYTES };
    const socket = connect({ host, port, ...options, onread: reading.onread });
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
    const options = this.#options;
    const server = createServer({ ...options, pauseOnConnect: true }, (socket) => {
      const { keepAliveInitialDelay } = this.#options;
      if (keepAliveInitialDelay !== options.keepAliveInitialDelay) socket.setKeepAlive(true, keepAliveInitialDelay);
      if (isGivenUp) socket.destroy();
      else listened.accepted(connectionOf(socket));
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
      if (server.listening) server.close();
    };
  }

  shortage(descriptors: number): string | undefined {
    return shortage(descriptors);
  }
}

function connectionOf(accepted: Socket): SocketConnection {
  const reading = new Reading();
  const socket = remade(accepted, reading);
  return socket === undefined ? new SocketConnection(accepted) : new SocketConnection(socket, reading);
}
