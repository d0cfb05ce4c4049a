import type { Clock } from "../clock.ts";
import { formatAddress, type Address } from "../config/address.ts";
import type { Report, UpstreamHappening } from "../happening/happening.ts";
import type { Connection, ConnectionHandler } from "../session/connection.ts";
import type { Memory } from "../session/memory.ts";
import type { SessionHost, SessionNews, SessionSettings } from "../session/host.ts";
import { Session } from "../session/session.ts";
import type { Storages } from "../storage/storages.ts";
import { Arrival } from "./arrival.ts";
import { Availability, type Decision, type Found } from "./availability.ts";
import { dial, type Dialling } from "./dialling.ts";
import { GatheredEnds } from "./gathered-ends.ts";
import { isWorthWaiting } from "./local-trouble.ts";
import type { Room } from "./room.ts";
import { ServerAddresses } from "./server-addresses.ts";
import type { Transport } from "./transport.ts";
import { Tries, type StoragesFinder } from "./tries.ts";

export interface UpstreamConfig {
  readonly name: string;
  readonly listen: Address;
  readonly server: Address;
}

/** What an upstream needs of the proxy. */
export interface UpstreamHost {
  readonly settings: Omit<SessionSettings, "name">;
  readonly clock: Clock;
  readonly transport: Transport;
  /** Those of the server; or what finds out which these are, before it is dialled for the first time. */
  readonly storages: Storages | StoragesFinder;
  readonly memory: Memory;
  readonly room: Room;
  /** Is anybody connected to the server by another upstream? */
  readonly isAliveElsewhere?: () => boolean;
  readonly report: Report;
}

/** Why an address can't be listened on: the system's code and error. */
export interface ListenFailure {
  readonly code: string;
  readonly cause: unknown;
}

/** Descriptors that must be left when a client was accepted: for its dial, and for the next one to come. */
const SPARE = 3;
/** How long a client waits where they are not left: it has one that others need. */
const SHORT_WAIT_MS = 3_000;

/** One listening address, the server behind it, and the sessions between them. `Availability` decides when it listens. */
export class Upstream {
  readonly name: string;
  readonly server: Address;
  readonly sessions = new Set<Session>();
  readonly #host: UpstreamHost;
  readonly #dialling: Dialling;
  readonly #tries: Tries;
  /** Made with the first of them: then it is known which server it is. */
  #forSessions: SessionHost<Session> | undefined;
  readonly #availability = new Availability();
  /** Clients whose server is being dialled, and what ends the dial, or the wait for a server that is down. */
  readonly #arrivals = new Map<Arrival, () => void>();
  /** Those that wait. */
  readonly #waiting = new Set<Arrival>();
  readonly #ends: GatheredEnds<Session>;
  readonly #addresses = new ServerAddresses<Session>();
  /** A try has just decided about those that hear of their ends now. */
  #isDecided = false;
  #accepted = 0;
  /** What was asked for at first; then the address with the port that was chosen. */
  #address: Address;
  #isBound = false;
  #giveUpAddress: (() => void) | undefined;
  /** Tell whoever waits for `bind`, and for `begin`. */
  #binding: ((failure: ListenFailure | undefined) => void) | undefined;
  #starting: (() => void) | undefined;

  constructor({ name, listen, server }: UpstreamConfig, host: UpstreamHost) {
    const { clock, room, settings, storages, transport } = host;
    this.name = name;
    this.server = server;
    this.#address = listen;
    this.#host = host;
    this.#ends = new GatheredEnds(clock);
    this.#dialling = { transport, clock, timeoutMs: settings.limits.handshakeMs };
    this.#tries = new Tries(server, this.#dialling, storages);
    room.watch((hasRoom) => this.#do(this.#availability.room(hasRoom)));
  }

  get state(): Availability["state"] {
    return this.#availability.state;
  }

  get serverAddress(): string {
    return formatAddress(this.server);
  }

  /** `host:port` once it was bound, also while it is given up. */
  get listen(): string | undefined {
    return this.#isBound ? formatAddress(this.#address) : undefined;
  }

  /** Addresses of the server that sessions are registered at. */
  get serverAddresses(): string[] {
    return this.#addresses.all;
  }

  /** Clients so far, and now. */
  get accepted(): number {
    return this.#accepted;
  }

  get clients(): number {
    return this.sessions.size + this.#arrivals.size;
  }

  /** Those of its server, once it is known which one it is. */
  get storages(): Storages | undefined {
    return this.#tries.storages;
  }

  /** Is anybody connected to the server? */
  get isAlive(): boolean {
    for (const session of this.sessions) if (session.isServerAlive && !this.#ends.has(session)) return true;
    return false;
  }

  // --- the address ------------------------------------------------------------------------------------------------

  /**
   * Takes the address for the first time. `done` is told why that can't be, or that it need not be waited for: the address
   * is taken, or is not there yet, or a stop comes between.
   */
  bind(done: (failure: ListenFailure | undefined) => void): void {
    this.#binding = done;
    this.#listen(
      () => {
        this.#do(this.#availability.opened());
        this.#bound();
      },
      (code, cause) => {
        const isAwaited = this.#binding !== undefined;
        if (isAwaited && !isWorthWaiting(code)) {
          this.#bound({ code, cause });
          return;
        }
        this.#do(this.#availability.openFailed(code, this.#now));
        this.#bound();
      },
    );
  }

  /** Nobody waits for `bind` any longer, as where a name is being looked up: what comes of it is told by lines. */
  bindLater(): void {
    this.#bound();
  }

  #bound(failure?: ListenFailure): void {
    const done = this.#binding;
    this.#binding = undefined;
    done?.(failure);
  }

  /** Finds out whether the server answers, and listens or waits for it. `done` is also called when a stop comes between. */
  begin(done: () => void): void {
    if (this.state === "stopped") {
      done();
      return;
    }
    this.#starting = done;
    this.#tries.look(false, (found) => this.#tried(found));
  }

  #tried(found: Found): void {
    this.#do(this.#availability.tried(found, this.#isAliveAnywhere, this.#now));
    this.#isDecided = true;
    this.#ends.release();
    this.#isDecided = false;
    this.#started();
  }

  get #isAliveAnywhere(): boolean {
    return this.isAlive || this.#host.isAliveElsewhere?.() === true;
  }

  /** Whoever waits for `begin` need wait no longer. */
  #started(): void {
    const done = this.#starting;
    this.#starting = undefined;
    done?.();
  }

  /** Accepts nobody any more, and gives up the clients that have no server yet. Sessions go on. */
  stop(): void {
    this.#do(this.#availability.stop());
    this.#tries.cancel();
    this.#bound();
    this.#started();
    this.#ends.release();
    for (const arrival of [...this.#arrivals.keys()]) this.#refuse(arrival);
  }

  #listen(listening: () => void, failed: (code: string, cause: unknown) => void): void {
    this.#giveUpAddress?.();
    this.#giveUpAddress = this.#host.transport.listen(this.#address, {
      listening: (address) => {
        this.#address = { ...this.#address, port: address.port };
        this.#isBound = true;
        listening();
      },
      failed,
      accepted: (client) => this.#accept(client),
      hindered: (code) => this.#do(this.#availability.hindered(code, this.#now)),
    });
  }

  get #now(): number {
    return this.#host.clock.now();
  }

  #do(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      // Whoever was told of the one before may have stopped it.
      if (this.state !== "stopped" || decision.do === "give-up-address") this.#carryOut(decision);
    }
  }

  #carryOut(decision: Decision): void {
    const server = this.serverAddress;
    switch (decision.do) {
      case "listen":
        this.#listen(
          () => this.#do(this.#availability.opened()),
          (code) => this.#do(this.#availability.openFailed(code, this.#now)),
        );
        return;
      case "give-up-address":
        this.#giveUpAddress?.();
        this.#giveUpAddress = undefined;
        this.#bound();
        return;
      case "try":
        // The first try may still be on its way, when a client has found out before it.
        this.#tries.plan(decision.afterMs, decision.greeting, (found) => this.#tried(found));
        this.#started();
        return;
      case "admit":
        for (const arrival of this.#waiting) this.#dialFor(arrival, () => this.#refuse(arrival));
        this.#waiting.clear();
        return;
      case "tell-listening":
        this.#report({ what: "listening", address: this.listen ?? "", server, isAgain: decision.isAgain });
        return;
      case "tell-down":
        this.#report({ what: "down", server, reason: decision.reason });
        return;
      case "tell-up":
        this.#report({ what: "up", server, downMs: decision.downMs });
        return;
      case "tell-blocked":
        this.#report({ what: "blocked", address: formatAddress(this.#address), reason: decision.reason });
        return;
      case "tell-trouble":
        this.#report({ what: "trouble", reason: decision.reason });
        return;
      case "tell-trouble-over":
        this.#report({ what: "trouble-over", lastedMs: decision.lastedMs });
    }
  }

  #report(happening: UpstreamHappening): void {
    this.#host.report({ ...happening, upstream: this.name });
  }

  // --- clients ----------------------------------------------------------------------------------------------------

  #accept(client: Connection): void {
    const { clock, room, transport } = this.#host;
    const arrival = new Arrival(client, clock, (gone) => this.#refuse(gone));
    if (this.state === "stopped") {
      client.carryOut("destroy");
      return;
    }
    this.#accepted++;
    const code = transport.shortage(SPARE);
    if (code !== undefined) this.#wait(arrival, SHORT_WAIT_MS);
    else if (this.#tries.storages === undefined) this.#wait(arrival);
    else {
      this.#dialFor(arrival, (failure) => {
        this.#wait(arrival);
        this.#do(this.#availability.dialFailed(failure, this.#isAliveAnywhere, this.#now));
      });
    }
    room.take();
    if (code !== undefined) this.#do(this.#availability.hindered(code, this.#now));
  }

  /**
   * Until the server is back. To be closed would not make it look elsewhere, or try again, any sooner: a ZEO 4 client that
   * has connected waits ten seconds for a greeting, closed or not (ZEO 4.3.1 `ServerStub.py`, `stub`).
   */
  #wait(arrival: Arrival, ms = this.#dialling.timeoutMs): void {
    this.#arrivals.set(
      arrival,
      this.#host.clock.after(ms, () => this.#refuse(arrival)),
    );
    this.#waiting.add(arrival);
  }

  #dialFor(arrival: Arrival, failed: (code: string) => void): void {
    this.#arrivals.get(arrival)?.();
    const cancel = dial(this.server, this.#dialling, { connected: (server) => this.#pair(arrival, server), failed });
    this.#arrivals.set(arrival, cancel);
  }

  /** It has gone, or there is no server for it. */
  #refuse(arrival: Arrival): void {
    const cancel = this.#arrivals.get(arrival);
    if (cancel === undefined) return;
    cancel();
    this.#arrivals.delete(arrival);
    this.#waiting.delete(arrival);
    arrival.refuse();
    this.#host.room.free();
  }

  #pair(arrival: Arrival, server: Connection): void {
    const { storages } = this.#tries;
    if (storages === undefined) throw new Error("a client is paired before it is known with which server");
    this.#arrivals.delete(arrival);
    const session = new Session(arrival.client, server, this.#sessionHost(storages));
    this.sessions.add(session);
    server.handOver(this.#gathered(session, server.peer));
    arrival.handOver(session.fromClient);
  }

  /** What a session's server connection is to tell: its end perhaps not at once. */
  #gathered(session: Session, peer: string): ConnectionHandler {
    const { fromServer } = session;
    return {
      ...fromServer,
      read: (bytes) => {
        this.#heard(session, peer);
        fromServer.read(bytes);
      },
      ended: () => this.#serverEnded(session, () => fromServer.ended()),
      closed: () => this.#serverEnded(session, () => fromServer.closed()),
    };
  }

  /** What is relayed proves nothing, whichever server it is. */
  #heard(session: Session, peer: string): void {
    if (session.life !== "registered") return;
    const addresses = this.#addresses.heard(session, peer);
    if (addresses !== undefined) this.#report({ what: "several-addresses", server: this.serverAddress, addresses });
  }

  #serverEnded(session: Session, tell: () => void): void {
    // Where nobody listens, whose connection ends finds nobody.
    const mayBeOutage = session.isServerOpen && session.tellsOutage && this.#giveUpAddress !== undefined;
    if (!mayBeOutage && !this.#ends.has(session)) {
      tell();
      return;
    }
    this.#ends.hold(session, tell);
    this.#lookForOutage();
  }

  /** Was that the last connection to the server? Then a try decides, and whoever is held hears of it behind that. */
  #lookForOutage(): void {
    if (!this.#isAliveAnywhere) this.#do(this.#availability.lastEnded(this.#now));
  }

  #sessionHost(storages: Storages): SessionHost<Session> {
    this.#forSessions ??= {
      settings: { name: this.name, ...this.#host.settings },
      clock: this.#host.clock,
      storages,
      memory: this.#host.memory,
      report: this.#host.report,
      serverGreets: () => this.#availability.greets,
      tell: (session, news) => this.#hear(session, news),
    };
    return this.#forSessions;
  }

  // --- what sessions tell -----------------------------------------------------------------------------------------

  #hear(session: Session, news: SessionNews): void {
    switch (news) {
      case "server-ended":
        // Was it the last one? Then the server may be down.
        if (session.tellsOutage && !this.#isDecided) this.#lookForOutage();
        return;
      case "server-silent":
        this.#do(this.#availability.silent(this.#isAliveAnywhere, this.#now));
        return;
      case "greeted":
        this.#availability.greeted();
        return;
      case "closed":
        this.#addresses.left(session);
        if (this.sessions.delete(session)) this.#host.room.free();
    }
  }
}
