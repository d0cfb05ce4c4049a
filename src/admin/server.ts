import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import type { AdminAddress } from "../config/admin.ts";
import { Guests } from "./guests.ts";
import { HostNames } from "./host-names.ts";
import { listenAt, type Listening } from "./listening.ts";
import { refuse, setHeaders, type Route } from "./route.ts";
import type { Credentials } from "./secrets.ts";
import { CHALLENGES, type Token } from "./token.ts";

/** Bytes of a request's line and headers. */
const MAX_HEADER = 8 * 1024;
/** A request that is not whole by then is none; nor is a handshake of TLS. */
const REQUEST_MS = 5_000;
/** Who takes nothing of his answer for so long is cut off; so is, later, who takes a little now and then. */
const STALLED_MS = 10_000;
const ANSWER_MS = 30_000;
/** How often Node looks at requests that are not whole. */
const LOOK_MS = 1_000;
/** What answers that are on their way have at a stop. */
const LEAVE_MS = 200;

/** What whoever asks must know, and is shown: it can be exchanged. */
export interface AdminSecrets {
  /** More names by which it may be asked. */
  readonly hosts: readonly string[];
  /** What every request must show. */
  readonly token?: Token | undefined;
  /** It speaks HTTPS. */
  readonly credentials?: Credentials | undefined;
}

export interface AdminServerOptions extends AdminSecrets {
  readonly listen: AdminAddress;
  /** For tests: shorter times, in ms, and fewer connections. */
  readonly bounds?: Partial<AdminBounds> | undefined;
}

const MIN_VERSION = "TLSv1.2";

export interface AdminBounds {
  readonly requestMs: number;
  readonly stalledMs: number;
  readonly answerMs: number;
  readonly guests: number;
}

/**
 * Serves a table of routes over HTTP, to few and for reading only. Nobody who asks it can take memory, or time, from those
 * whom the proxy is for: connections, the size and time of requests, and the time of answers are bounded.
 */
export class AdminServer {
  readonly #routes = new Map<string, Route>();
  readonly #options: AdminServerOptions;
  #names: HostNames;
  #token: Token | undefined;
  readonly #guests: Guests;
  /** One, or one for each address of a name. */
  readonly #servers: Server[] = [];
  readonly #answerMs: number;
  #listening: Listening | undefined;
  /** What went wrong in a route, or while accepting. */
  readonly #failed: (error: unknown) => void;

  constructor(routes: readonly Route[], options: AdminServerOptions, failed: (error: unknown) => void) {
    for (const route of routes) this.#routes.set(route.path, route);
    this.#options = options;
    this.#failed = failed;
    const { bounds = {}, hosts, listen, token } = options;
    this.#names = new HostNames(listen, hosts);
    this.#token = token;
    this.#guests = new Guests(bounds.guests);
    this.#answerMs = bounds.answerMs ?? ANSWER_MS;
  }

  #make(): Server {
    const { bounds = {}, credentials } = this.#options;
    const requestMs = bounds.requestMs ?? REQUEST_MS;
    const settings = {
      maxHeaderSize: MAX_HEADER,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(LOOK_MS, requestMs),
    };
    const handle = (request: IncomingMessage, response: ServerResponse): void => this.#handle(request, response);
    const server =
      credentials === undefined
        ? createServer(settings, handle)
        : createTlsServer(
            { ...settings, ...credentials, minVersion: MIN_VERSION, handshakeTimeout: requestMs },
            handle,
          );
    server.timeout = bounds.stalledMs ?? STALLED_MS;
    server.on("connection", (socket: Socket) => this.#guests.came(socket));
    this.#servers.push(server);
    return server;
  }

  /**
   * These hold for requests, and handshakes, from now on. Whether it speaks HTTPS stays as it was. Where the token is another one
   * all connections are closed: an answer may go on and on, for somebody who is not to have it any more.
   */
  renew({ hosts, token, credentials }: AdminSecrets): void {
    this.#names = new HostNames(this.#options.listen, hosts);
    if (token !== undefined && this.#token?.isSame(token) !== true) this.#guests.close(true);
    this.#token = token;
    if (credentials === undefined) return;
    for (const server of this.#servers) {
      if (server instanceof TlsServer) server.setSecureContext({ ...credentials, minVersion: MIN_VERSION });
    }
  }

  /** `host:port`, or a path, once it listens. */
  get address(): string | undefined {
    return this.#listening?.address;
  }

  /**
   * @returns the address
   * @throws the system's error where it can't be had
   */
  async start(): Promise<string> {
    this.#listening = await listenAt(() => this.#make(), this.#options.listen, this.#failed);
    return this.#listening.address;
  }

  /** Accepts nobody any more. Answers that are on their way have a moment to leave. */
  async stop(): Promise<void> {
    const listening = this.#listening;
    if (listening === undefined) return;
    this.#listening = undefined;
    const end = setTimeout(() => this.#guests.close(true), LEAVE_MS);
    const closed = listening.close();
    this.#guests.close(false);
    await closed;
    clearTimeout(end);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (!this.#guests.asks(socket)) {
      socket.destroy();
      return;
    }
    response.once("close", () => this.#guests.served(socket));
    this.#boundAnswer(response, socket);
    setHeaders(response);
    const route = this.#admit(request, response);
    if (route === undefined) return;
    try {
      route.handle(request, response);
    } catch (error) {
      this.#failed(error);
      if (response.headersSent) socket.destroy();
      else refuse(response, 500, "an internal error");
    }
  }

  /** An answer that is written to its end is taken in time, however slowly. One that goes on and on has its own bounds. */
  #boundAnswer(response: ServerResponse, socket: Socket): void {
    response.once("prefinish", () => {
      const late = setTimeout(() => socket.destroy(), this.#answerMs).unref();
      response.once("close", () => clearTimeout(late));
    });
  }

  /** The route that it is for, if it may be asked; else it has been answered. */
  #admit(request: IncomingMessage, response: ServerResponse): Route | undefined {
    const { headers, method, socket, url = "" } = request;
    if (!this.#names.allows(headers.host, socket.localAddress)) {
      refuse(response, 421, "this server is not called that");
      return undefined;
    }
    if (method !== "GET" && method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      refuse(response, 405, "nothing can be changed here");
      return undefined;
    }
    if ((headers["content-length"] ?? "0") !== "0" || headers["transfer-encoding"] !== undefined) {
      refuse(response, 413, "a request without a body is expected");
      return undefined;
    }
    if (this.#token?.isIn(headers.authorization) === false) {
      response.setHeader("WWW-Authenticate", CHALLENGES);
      refuse(response, 401, "the token is needed");
      return undefined;
    }
    const route = this.#routes.get(pathIn(url));
    if (route === undefined) refuse(response, 404, "nothing is here");
    return route;
  }
}

function pathIn(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}
