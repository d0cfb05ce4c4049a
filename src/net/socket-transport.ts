import { connect, createServer, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Address } from "../config/address.ts";
import type { TlsConfig } from "../config/transport-schema.ts";
import type { Party } from "../session/connection.ts";
import type { Dialled, Door, Listened, Origin, Transport } from "../upstream/transport.ts";
import { Binding } from "./binding.ts";
import type { Credentials } from "./credentials.ts";
import { shortage } from "./descriptors.ts";
import { Doorway } from "./doorway.ts";
import { originOf, originOfUnix } from "./origin.ts";
import { Reading, remade } from "./reading.ts";
import { SocketConnection } from "./socket-connection.ts";
import type { SocketFile } from "./socket-file.ts";
import { codeOf } from "./system-error.ts";
import { handshakeFault, TlsAcceptor } from "./tls-acceptor.ts";
import { beginTls, type ServerIdentity } from "./tls-dial.ts";

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

/** A Unix socket's server whose queue is full is asked again after so long; a port's queue is waited for by the system. */
const FULL_MS = 20;

const OWN_FILE: SocketFile = { mode: 0o660 };

/** How the two sides of one upstream are reached, where that is not plain TCP. */
export interface TransportParts {
  /** Of a Unix socket that is listened on. */
  readonly file?: SocketFile | undefined;
  readonly tls?: Credentials<TlsConfig> | undefined;
  readonly serverTls?: ServerIdentity | undefined;
  /** How long a client's TLS handshake may take; asked for at each. */
  readonly handshakeMs?: number;
  /** TLS has failed: with a client, or on a connection to the server that was there. `code`: Node's or OpenSSL's. */
  readonly tlsFailed?: (party: Party, peer: string, code: string) => void;
}

/** Connections over TCP and Unix sockets, with TLS or without. */
export class SocketTransport implements Transport {
  readonly #parts: TransportParts;
  #keepAliveMs: number;

  /** `keepAliveMs`: how long a host may be gone before a connection to it that nobody writes to is closed. */
  constructor(keepAliveMs: number, parts: TransportParts = {}) {
    this.#keepAliveMs = keepAliveMs;
    this.#parts = parts;
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

  dial(server: Address, dialled: Dialled): () => void {
    const { serverTls } = this.#parts;
    let isOver = false;
    let socket: Socket;
    let timer: NodeJS.Timeout | undefined;
    const failed = (error: Error): void => {
      if (isOver) return;
      const code = codeOf(error);
      if (code === "EAGAIN" && server.path !== undefined) timer = setTimeout(begin, FULL_MS);
      else {
        isOver = true;
        dialled.failed(code);
      }
    };
    const connected = (connection: SocketConnection): void => {
      isOver = true;
      socket.removeListener("error", failed);
      dialled.connected(connection);
    };
    const begin = (): void => {
      const reading = serverTls === undefined ? new Reading() : undefined;
      const onread = reading === undefined ? {} : { onread: reading.onread };
      const options: { readonly [name: string]: unknown } = { ...this.#options, writableHighWaterMark: QUEUE_BYTES };
      socket = connect({ ...placeOf(server), ...options, ...onread });
      socket.pause();
      socket.once("error", failed);
      socket.once("connect", () => {
        if (serverTls === undefined) connected(new SocketConnection(socket, reading, originOfServer(server, socket)));
        else this.#secure(serverTls, socket, server, failed, connected);
      });
    };
    begin();
    return () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.on("error", () => undefined);
      socket.destroy();
    };
  }

  #secure(
    identity: ServerIdentity,
    socket: Socket,
    server: Address,
    failed: (error: Error) => void,
    connected: (connection: SocketConnection) => void,
  ): void {
    const origin = originOfServer(server, socket);
    const secured = beginTls(socket, server, identity, QUEUE_BYTES, () => {
      secured.removeListener("error", failed);
      secured.pause();
      connected(this.#connectionOver(secured, "server", origin));
    });
    secured.once("error", failed);
  }

  listen(address: Address, listened: Listened): () => void {
    const { file = OWN_FILE, tls } = this.#parts;
    let isGivenUp = false;
    const door = listened.door ?? OPEN;
    const handshakes =
      tls === undefined
        ? undefined
        : new TlsAcceptor(tls, () => this.#parts.handshakeMs ?? 0, {
            secure: (client, origin) => listened.accepted(this.#connectionOver(client, "client", origin)),
            failed: (code, origin) => {
              door.failsHandshake(origin, handshakeFault(code));
              this.#parts.tlsFailed?.("client", origin.peer, code);
            },
            left: ({ host }) => door.leaves(host),
          });
    if (handshakes !== undefined) door.handshakes(() => handshakes.oldest);
    const enter = (socket: Socket, origin: Origin): void => {
      if (handshakes === undefined) listened.accepted(connectionOf(socket, origin));
      else handshakes.take(socket, origin);
    };
    const doorway = new Doorway(door, enter, address.path === undefined ? originOf : originOfUnix);
    const options = this.#options;
    const accept = (socket: Socket): void => {
      const { keepAliveInitialDelay } = this.#options;
      if (keepAliveInitialDelay !== options.keepAliveInitialDelay) socket.setKeepAlive(true, keepAliveInitialDelay);
      if (isGivenUp) socket.destroy();
      else doorway.come(socket);
    };
    const binding = new Binding(() => createServer({ ...options, pauseOnConnect: true }, accept), file, {
      bound: (at) => listened.listening(at),
      failed: (code, cause) => listened.failed(code, cause),
      hindered: (code) => listened.hindered(code),
    });
    binding.bind(address);
    return () => {
      isGivenUp = true;
      binding.giveUp();
      doorway.close();
      handshakes?.stop();
    };
  }

  shortage(descriptors: number): string | undefined {
    return shortage(descriptors);
  }

  /** What goes wrong with TLS later is told, too: a server of TLS 1.3 says behind the handshake that it wants a certificate. */
  #connectionOver(socket: TLSSocket, party: Party, origin: Origin): SocketConnection {
    socket.on("error", (error) => {
      const code = codeOf(error);
      if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) this.#parts.tlsFailed?.(party, origin.peer, code);
    });
    return new SocketConnection(socket, undefined, origin);
  }
}

function originOfServer(server: Address, socket: Socket): Origin {
  return server.path === undefined ? originOf(socket) : { host: undefined, peer: server.path };
}

function placeOf(server: Address): { path: string } | { host: string; port: number } {
  return server.path === undefined ? { host: server.host, port: server.port } : { path: server.path };
}

/** Everybody may come in. */
const OPEN: Door = {
  headerMs: () => undefined,
  lacksHeader: () => undefined,
  handshakes: () => undefined,
  failsHandshake: () => undefined,
  admits: () => true,
  leaves: () => undefined,
};

function connectionOf(accepted: Socket, origin: Origin): SocketConnection {
  const reading = new Reading();
  const socket = remade(accepted, reading);
  return new SocketConnection(socket ?? accepted, socket === undefined ? undefined : reading, origin);
}
