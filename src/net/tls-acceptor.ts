import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { TlsConfig } from "../config/transport-schema.ts";
import type { Credentials } from "./credentials.ts";
import { codeOf } from "./system-error.ts";

/** What becomes of a client that was handed to it: one of the two, or neither where it has left without a word. */
export interface Handshaken {
  /** It reads nothing yet. */
  secure(client: TLSSocket, peer: string): void;
  /** `code`: Node's or OpenSSL's, such as `ERR_SSL_NO_SHARED_CIPHER`. It is closed. */
  failed(code: string, peer: string): void;
}

/**
 * So many handshakes go on at a time, at one listening address. Each costs some 20 KB, and a descriptor. Beyond it the one that
 * has taken longest is given up: one that goes on takes some milliseconds, so that is one that nobody goes on with.
 */
export const MAX_HANDSHAKES = 1_000;

/** Who left before it said a word is a probe. */
const LEFT = "ECONNRESET";

interface Pending {
  readonly socket: Socket;
  readonly peer: string;
}

/** The handshakes of one listening address. */
export class TlsAcceptor {
  readonly #credentials: Credentials<TlsConfig>;
  readonly #timeoutMs: number;
  readonly #told: Handshaken;
  readonly #most: number;
  /** In the order in which they have come. */
  readonly #pending = new Map<Socket, Pending>();
  readonly #unwatch: () => void;
  #server: Server;

  /** `timeoutMs`: how long one may take. */
  constructor(credentials: Credentials<TlsConfig>, timeoutMs: number, told: Handshaken, most = MAX_HANDSHAKES) {
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

  /** Of a client that was accepted, and that has not been read. */
  take(socket: Socket, peer: string): void {
    if (this.#pending.size >= this.#most) this.#giveUpOldest();
    this.#pending.set(socket, { socket, peer });
    socket.once("close", () => this.#pending.delete(socket));
    socket.on("error", () => undefined);
    this.#server.emit("connection", socket);
  }

  /** Gives up those that are not done. Who is done stays. */
  stop(): void {
    this.#unwatch();
    for (const socket of [...this.#pending.keys()]) socket.destroy();
    this.#pending.clear();
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
      handshakeTimeout: this.#timeoutMs,
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
    const fault = clientFault(client);
    if (fault !== undefined) {
      client.destroy();
      this.#told.failed(fault, pending.peer);
      return;
    }
    client.pause();
    // Until then who closes his half was to be noticed.
    client.allowHalfOpen = true;
    this.#told.secure(client, pending.peer);
  }

  #failed(error: Error, client: TLSSocket): void {
    const pending = this.#take(client);
    client.destroy();
    if (pending === undefined) return;
    pending.socket.destroy();
    const code = clientFault(client) ?? codeOf(error);
    if (code !== LEFT || pending.socket.bytesRead > 0) this.#told.failed(code, pending.peer);
  }

  #giveUpOldest(): void {
    for (const { socket, peer } of this.#pending.values()) {
      this.#pending.delete(socket);
      socket.destroy();
      this.#told.failed("too-many-handshakes", peer);
      return;
    }
  }

  /** Node's own name for the socket under it (Node 20 to 24, `lib/_tls_wrap.js`); it documents none. */
  #take(client: TLSSocket): Pending | undefined {
    const { _parent: socket } = client as { readonly _parent?: Socket };
    if (socket === undefined) return undefined;
    const pending = this.#pending.get(socket);
    this.#pending.delete(socket);
    return pending;
  }
}

/** Why the certificate that it has shown is no good, if it has shown one: OpenSSL's code. */
function clientFault(client: TLSSocket): string | undefined {
  // A text, whatever its type says (Node 20 to 24).
  const fault = client.authorizationError as unknown;
  return typeof fault === "string" && client.getPeerX509Certificate() !== undefined ? fault : undefined;
}
