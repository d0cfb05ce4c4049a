import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { TlsConfig } from "../config/transport-schema.ts";
import type { Nobody } from "../upstream/nobodies.ts";
import type { HandshakeFault, Origin } from "../upstream/transport.ts";
import type { Credentials } from "./credentials.ts";
import { systemClock } from "./system-clock.ts";
import { codeOf } from "./system-error.ts";

/** What becomes of a client that was handed to it: one of the two, or neither where it leaves without a word. */
export interface Handshaken {
  /** It reads nothing yet. */
  secure(client: TLSSocket, origin: Origin): void;
  /** `code`: Node's or OpenSSL's, such as `ERR_SSL_NO_SHARED_CIPHER`. It is closed. */
  failed(code: string, origin: Origin): void;
  /** It is closed, whatever was told of it before. */
  left(origin: Origin): void;
}

/**
 * So many handshakes go on at a time, at one listening address. Each costs 20 KB or less, and a descriptor. Beyond it the one that
 * has taken longest is given up: one that goes on takes some milliseconds, so that is one that nobody goes on with.
 */
export const MAX_HANDSHAKES = 1_000;

const TIMEOUT = "ERR_TLS_HANDSHAKE_TIMEOUT";
/** Node's own time is for what goes wrong here: longer than any that is configured. */
const MOST_MS = 3_605_000;
const CROWDED = "too-many-handshakes";

/** What the code of a handshake that has failed is counted as. */
export function handshakeFault(code: string): HandshakeFault {
  if (code === CROWDED) return "too-many-handshakes";
  return code === TIMEOUT ? "tls-timeout" : "tls-failed";
}

interface Pending {
  readonly socket: Socket;
  readonly origin: Origin;
  readonly timer: NodeJS.Timeout;
  /** By the system's clock. */
  readonly since: number;
}

/** The handshakes of one listening address. */
export class TlsAcceptor {
  readonly #credentials: Credentials<TlsConfig>;
  readonly #timeoutMs: () => number;
  readonly #told: Handshaken;
  readonly #most: number;
  /** In the order in which they have come. */
  readonly #pending = new Map<Socket, Pending>();
  readonly #unwatch: () => void;
  #server: Server;

  /** `timeoutMs`: how long one that begins may take. */
  constructor(credentials: Credentials<TlsConfig>, timeoutMs: () => number, told: Handshaken, most = MAX_HANDSHAKES) {
    this.#credentials = credentials;
    this.#timeoutMs = timeoutMs;
    this.#told = told;
    this.#most = most;
    this.#server = this.#make();
    this.#unwatch = credentials.watch(() => (this.#server = this.#make()));
  }

  /** How many handshakes go on. */
  get pending(): number {
    return this.#pending.size;
  }

  /** The one that takes longest. */
  get oldest(): Nobody | undefined {
    for (const { since, socket } of this.#pending.values()) {
      return { since, giveUp: () => this.#giveUp(socket, CROWDED) };
    }
    return undefined;
  }

  /** Of a client that was accepted, and that has not been read. What TLS needs is made when it says something. */
  take(socket: Socket, origin: Origin): void {
    if (this.#pending.size >= this.#most) this.#giveUpOldest();
    const timer = setTimeout(() => this.#giveUp(socket, TIMEOUT), this.#timeoutMs());
    this.#pending.set(socket, { socket, origin, timer, since: systemClock.now() });
    // Behind the error that may come with it.
    socket.once("close", () => setImmediate(() => this.#drop(socket)));
    socket.on("error", () => undefined);
    socket.once("readable", () => this.#begin(socket));
  }

  #begin(socket: Socket): void {
    if (!this.#pending.has(socket)) return;
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) {
      // It has left without a word: a probe.
      this.#drop(socket);
      socket.destroy();
      return;
    }
    socket.unshift(bytes);
    // Who closes his half behind the first words of a handshake has left it. What is made over this socket takes that from it.
    socket.allowHalfOpen = false;
    this.#server.emit("connection", socket);
  }

  /** Gives up those that are not done. Who is done stays. */
  stop(): void {
    this.#unwatch();
    for (const socket of [...this.#pending.keys()]) {
      this.#drop(socket);
      socket.destroy();
    }
  }

  /**
   * It never listens: connections are handed to it. With other credentials there is a new one, so that no session that was begun
   * with the old ones is taken up again; handshakes that go on end at the one where they began.
   */
  #make(): Server {
    const { clients } = this.#credentials.settings;
    const server = createServer({
      ...this.#credentials.texts,
      requestCert: clients !== "none",
      rejectUnauthorized: clients === "required",
      handshakeTimeout: MOST_MS,
    });
    server.on("secureConnection", (client) => this.#secure(client));
    server.on("tlsClientError", (error, client) => this.#failed(error, client));
    return server;
  }

  #secure(client: TLSSocket): void {
    const pending = this.#take(client);
    if (pending === undefined) {
      client.destroy();
      return;
    }
    const fault = authorizationFault(client);
    if (fault !== undefined && client.getPeerX509Certificate() !== undefined) {
      client.destroy();
      this.#told.failed(fault, pending.origin);
      this.#told.left(pending.origin);
      return;
    }
    client.pause();
    client.allowHalfOpen = true;
    this.#told.secure(client, pending.origin);
  }

  #failed(error: Error, client: TLSSocket): void {
    const pending = this.#take(client);
    client.destroy();
    if (pending === undefined) return;
    pending.socket.destroy();
    this.#told.failed(authorizationFault(client) ?? codeOf(error), pending.origin);
    this.#told.left(pending.origin);
  }

  #giveUpOldest(): void {
    for (const { socket } of this.#pending.values()) {
      this.#giveUp(socket, CROWDED);
      return;
    }
  }

  #giveUp(socket: Socket, code: string): void {
    const pending = this.#drop(socket);
    socket.destroy();
    if (pending !== undefined) this.#told.failed(code, pending.origin);
  }

  /** Node's own name for the socket under it (Node 20 to 24, `lib/_tls_wrap.js`); it documents none. */
  #take(client: TLSSocket): Pending | undefined {
    const { _parent: socket } = client as { readonly _parent?: Socket };
    if (socket === undefined) return undefined;
    return this.#leaves(socket);
  }

  /** It has left, or is closed now. */
  #drop(socket: Socket): Pending | undefined {
    const pending = this.#leaves(socket);
    if (pending !== undefined) this.#told.left(pending.origin);
    return pending;
  }

  /** Its handshake is over, or is given up. */
  #leaves(socket: Socket): Pending | undefined {
    const pending = this.#pending.get(socket);
    clearTimeout(pending?.timer);
    this.#pending.delete(socket);
    return pending;
  }
}

/** Why the certificate that it was asked for is no good: OpenSSL's code. A text, whatever its type says (Node 20 to 24). */
function authorizationFault(client: TLSSocket): string | undefined {
  const fault = client.authorizationError as unknown;
  return typeof fault === "string" ? fault : undefined;
}
