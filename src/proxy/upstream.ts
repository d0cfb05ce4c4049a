import type { Socket } from "node:net";
import { formatAddress, type Address } from "../config/address.ts";
import type { UpstreamStats } from "./api.ts";
import { answers, dial } from "./dial.ts";
import { codeOf, ListenError } from "./errors.ts";
import { Listener } from "./listener.ts";
import { Session, type SessionHost } from "./session.ts";

/** What an upstream needs of the proxy. */
export interface UpstreamHost {
  readonly handshakeMs: number;
  /** May one more client come in? */
  hasRoom(): boolean;
  /** A client has come or gone: every upstream looks whether there is room. */
  roomChanged(): void;
  sessionHost(upstream: Upstream): SessionHost;
  opened(session: Session): void;
  listening(upstream: Upstream): void;
  /** The server does not answer: `reason` is a system code, or `silent`. */
  down(upstream: Upstream, reason: string): void;
  /** The server answers, but its listening address was taken by somebody else meanwhile. */
  blocked(upstream: Upstream, code: string): void;
  /** It answers again, after so long. */
  up(upstream: Upstream, downMs: number): void;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/**
 * How long a client that was accepted before its server was found to be down may wait for it. A ZEO 4 client that gets
 * no greeting waits ten seconds, even when its connection is closed (ZEO 4.3.1 `zrpc/client.py`).
 */
const WAIT_MS = 3_000;
/** A server that accepts, and stays silent and connected for so long, waits for its client to speak (TLS). */
const GRACE_MS = 1_000;

/** One listening address and the server behind it. Listens only while that server answers. */
export class Upstream {
  readonly name: string;
  readonly server: Address;
  readonly sessions = new Set<Session>();
  /** Clients whose server is being dialled, and what ends the dial. */
  readonly #arriving = new Map<Socket, AbortController>();
  /** Those of them that wait for a server that is down. */
  readonly #waiting = new Map<Socket, NodeJS.Timeout>();
  readonly #listener: Listener;
  readonly #host: UpstreamHost;
  readonly #sessionHost: SessionHost;
  #state: UpstreamStats["state"] = "starting";
  #accepted = 0;
  #retry: NodeJS.Timeout | undefined;
  readonly #stopped = new AbortController();
  #opening = false;
  /** A server that waits for its client to speak has answered one. */
  #waitsForClients = false;

  constructor(config: { name: string; listen: Address; server: Address }, host: UpstreamHost) {
    this.name = config.name;
    this.server = config.server;
    this.#host = host;
    this.#sessionHost = host.sessionHost(this);
    this.#listener = new Listener(config.listen, (client) => this.#accept(client));
  }

  get state(): UpstreamStats["state"] {
    return this.#state;
  }

  get serverAddress(): string {
    return formatAddress(this.server);
  }

  get listen(): string | undefined {
    return this.#listener.address;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get clients(): number {
    return this.sessions.size + this.#arriving.size;
  }

  /** Binds the address. Rejects with a ListenError. */
  async bind(listen: Address): Promise<void> {
    try {
      await this.#listener.open();
    } catch (error) {
      throw new ListenError(this.name, formatAddress(listen), codeOf(error), { cause: error });
    }
  }

  /** Finds out whether the server answers, and listens or waits for it. */
  async begin(): Promise<void> {
    const up = await this.#answers(false);
    if (this.#state !== "starting") return;
    if (up) this.#listens();
    else this.#goDown("no answer", true);
  }

  stop(): void {
    this.#state = "stopped";
    this.#stopped.abort();
    clearTimeout(this.#retry);
    this.#listener.close();
    for (const client of [...this.#arriving.keys()]) this.#refuse(client);
  }

  /** The process has no room for more clients, or has some again. */
  lookForRoom(): void {
    if (this.#state === "listening" && !this.#host.hasRoom()) {
      this.#state = "full";
      this.#listener.close();
    } else if (this.#state === "full" && this.#host.hasRoom()) {
      void this.#reopen();
    }
  }

  // --- clients ----------------------------------------------------------------------------------------------------

  #accept(client: Socket): void {
    client.on("error", () => undefined);
    if (this.#state === "stopped" || !this.#host.hasRoom()) {
      client.destroy();
      return;
    }
    this.#accepted++;
    this.#arriving.set(client, new AbortController());
    // A probe that connects and closes at once: later nobody would be told of its end. (With bytes before it, the end
    // comes when they have been read.)
    client.once("end", () => this.#left(client));
    client.once("close", () => this.#left(client));
    this.#host.roomChanged();
    this.#dialFor(client, (error) => {
      if (client.destroyed) {
        this.#refuse(client);
        return;
      }
      this.#goDown(codeOf(error), true);
      this.#waiting.set(
        client,
        setTimeout(() => this.#refuse(client), WAIT_MS),
      );
    });
  }

  #dialFor(client: Socket, failed: (error: unknown) => void): void {
    const signal = this.#arriving.get(client)?.signal ?? AbortSignal.abort();
    dial(this.server, this.#host.handshakeMs, signal).then((server) => this.#pair(client, server), failed);
  }

  /** It has ended, or broken. Is it still arriving? Then there is nobody to find a server for. */
  #left(client: Socket): void {
    if (this.#arriving.has(client)) this.#refuse(client);
  }

  /** It was accepted, and there is no server for it. */
  #refuse(client: Socket): void {
    clearTimeout(this.#waiting.get(client));
    this.#waiting.delete(client);
    this.#arriving.get(client)?.abort();
    this.#arriving.delete(client);
    client.destroy();
    this.#host.roomChanged();
  }

  /** The server answers again. */
  #admitWaiting(): void {
    for (const [client, timer] of this.#waiting) {
      clearTimeout(timer);
      this.#waiting.delete(client);
      this.#dialFor(client, () => this.#refuse(client));
    }
  }

  #pair(client: Socket, server: Socket): void {
    this.#arriving.delete(client);
    if (client.destroyed || this.#state === "stopped") {
      client.destroy();
      server.destroy();
      this.#host.roomChanged();
      return;
    }
    const session = new Session(client, server, this.#sessionHost);
    this.sessions.add(session);
    this.#host.opened(session);
  }

  /** Both sockets of a session are closed. */
  closed(session: Session): void {
    this.sessions.delete(session);
    this.#host.roomChanged();
  }

  // --- the server -------------------------------------------------------------------------------------------------

  /** The server has ended a session's connection. Was it the last one? Then it may be down. */
  serverEnded(session: Session): void {
    if (!session.tellsOutage) return;
    for (const other of this.sessions) if (other !== session && other.isServerOpen) return;
    this.#goDown("all its connections have ended", false);
  }

  serverSilent(session: Session): void {
    session.destroy();
    if (!this.#waitsForClients) this.#goDown("silent", true);
  }

  /** A client that spoke first was answered: here a silent connection is no outage. */
  answeredFirstWord(): void {
    this.#waitsForClients = true;
  }

  #answers(greeting: boolean): Promise<boolean> {
    const timeoutMs = this.#host.handshakeMs;
    return answers(this.server, { timeoutMs, graceMs: GRACE_MS, greeting }, this.#stopped.signal);
  }

  /** `told`: it is certain. Otherwise the first try that fails is what is told. */
  #goDown(reason: string, told: boolean): void {
    if (this.#state === "down" || this.#state === "stopped") return;
    this.#state = "down";
    this.#listener.close();
    if (told) this.#host.down(this, reason);
    this.#try(reason, told, Date.now(), told ? FIRST_RETRY_MS : 0);
  }

  #try(reason: string, told: boolean, since: number, delayMs: number): void {
    this.#retry = setTimeout(() => void this.#tryNow(reason, told, since, delayMs), delayMs);
  }

  async #tryNow(reason: string, told: boolean, since: number, delayMs: number): Promise<void> {
    const up = await this.#answers(reason === "silent");
    if (this.#state !== "down") return;
    if (up && this.#opening) {
      // What is being opened is for another state, and will be closed again first.
      this.#try(reason, told, since, FIRST_RETRY_MS);
      return;
    }
    if (up) {
      if (told) this.#host.up(this, Date.now() - since);
      await this.#reopen();
      return;
    }
    if (!told) this.#host.down(this, reason);
    this.#try(reason, true, since, Math.min(Math.max(delayMs * 2, FIRST_RETRY_MS), LAST_RETRY_MS));
  }

  /** From `full` or `down`; undone where that has changed meanwhile. */
  async #reopen(): Promise<void> {
    if (this.#opening) return;
    this.#opening = true;
    const before = this.#state;
    try {
      await this.#listener.open();
      if (this.#state === before) this.#listens();
      else this.#listener.close();
    } catch (error) {
      // Somebody else has taken the address meanwhile: as good as down, until it is free.
      if (this.#state !== before) return;
      this.#state = "down";
      this.#host.blocked(this, codeOf(error));
      this.#try(codeOf(error), true, Date.now(), LAST_RETRY_MS);
    } finally {
      this.#opening = false;
    }
  }

  #listens(): void {
    this.#state = "listening";
    this.#host.listening(this);
    this.#admitWaiting();
    this.#host.roomChanged();
  }
}
