import type { Clock } from "../clock.ts";
import { formatAddress, type Address } from "../config/address.ts";
import type { Report, UpstreamHappening } from "../happening/happening.ts";
import type { Connection } from "../session/connection.ts";
import type { Memory } from "../session/memory.ts";
import type { SessionHost, SessionNews, SessionSettings } from "../session/host.ts";
import { Session } from "../session/session.ts";
import type { Storages } from "../storage/storages.ts";
import { Arrival } from "./arrival.ts";
import { Availability, type Decision } from "./availability.ts";
import { answers, dial, type Dialling } from "./dialling.ts";
import type { Room } from "./room.ts";
import type { Transport } from "./transport.ts";

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
  readonly storages: Storages;
  readonly memory: Memory;
  readonly room: Room;
  readonly report: Report;
}

/** Why an address can't be listened on: the system's code and error. */
export interface ListenFailure {
  readonly code: string;
  readonly cause: unknown;
}

/**
 * How long a client that was accepted before its server was found to be down may wait for it. A ZEO 4 client that gets
 * no greeting waits ten seconds, even when its connection is closed (ZEO 4.3.1 `zrpc/client.py`).
 */
const WAIT_MS = 3_000;

/** One listening address, the server behind it, and the sessions between them. `Availability` decides when it listens. */
export class Upstream {
  readonly name: string;
  readonly server: Address;
  readonly sessions = new Set<Session>();
  readonly #host: UpstreamHost;
  readonly #dialling: Dialling;
  readonly #sessionHost: SessionHost<Session>;
  readonly #availability = new Availability();
  /** Clients whose server is being dialled, and what ends the dial, or the wait for a server that is down. */
  readonly #arrivals = new Map<Arrival, () => void>();
  /** Those that wait. */
  readonly #waiting = new Set<Arrival>();
  #accepted = 0;
  /** What was asked for at first; then the address with the port that was chosen. */
  #address: Address;
  #isBound = false;
  #giveUpAddress: (() => void) | undefined;
  #cancelTry: (() => void) | undefined;
  /** Tells whoever waits for `bind` or `begin`. */
  #starting: (() => void) | undefined;

  constructor({ name, listen, server }: UpstreamConfig, host: UpstreamHost) {
    const { clock, memory, report, room, settings, storages, transport } = host;
    this.name = name;
    this.server = server;
    this.#address = listen;
    this.#host = host;
    this.#dialling = { transport, clock, timeoutMs: settings.limits.handshakeMs };
    this.#sessionHost = {
      settings: { name, ...settings },
      clock,
      storages,
      memory,
      report,
      tell: (session, news) => this.#hear(session, news),
    };
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

  /** Clients so far, and now. */
  get accepted(): number {
    return this.#accepted;
  }

  get clients(): number {
    return this.sessions.size + this.#arrivals.size;
  }

  // --- the address ------------------------------------------------------------------------------------------------

  /** Takes the address for the first time. `done` is also called when a stop comes between. */
  bind(done: (failure: ListenFailure | undefined) => void): void {
    this.#starting = () => done(undefined);
    this.#listen(
      () => this.#started(),
      (code, cause) => {
        this.#starting = undefined;
        done({ code, cause });
      },
    );
  }

  /** Finds out whether the server answers, and listens or waits for it. `done` is also called when a stop comes between. */
  begin(done: () => void): void {
    if (this.state === "stopped") {
      done();
      return;
    }
    this.#starting = done;
    this.#cancelTry = answers(this.server, this.#dialling, false, (isUp) => {
      this.#do(this.#availability.begun(isUp, this.#now));
      this.#started();
    });
  }

  /** Whoever waits for `bind` or `begin` need wait no longer. */
  #started(): void {
    const done = this.#starting;
    this.#starting = undefined;
    done?.();
  }

  /** Accepts nobody any more, and gives up the clients that have no server yet. Sessions go on. */
  stop(): void {
    this.#do(this.#availability.stop());
    this.#cancelTry?.();
    this.#started();
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
        return;
      case "try":
        // The first try may still be on its way, when a client has found out before it.
        this.#cancelTry?.();
        this.#started();
        this.#cancelTry = this.#host.clock.after(decision.afterMs, () => {
          this.#cancelTry = answers(this.server, this.#dialling, decision.greeting, (isUp) => {
            this.#do(this.#availability.tried(isUp, this.#now));
          });
        });
        return;
      case "admit":
        for (const arrival of this.#waiting) this.#dialFor(arrival, () => this.#refuse(arrival));
        this.#waiting.clear();
        return;
      case "tell-listening":
        this.#report({ what: "listening", address: this.listen ?? "", server });
        return;
      case "tell-down":
        this.#report({ what: "down", server, reason: decision.reason });
        return;
      case "tell-up":
        this.#report({ what: "up", server, downMs: decision.downMs });
        return;
      case "tell-blocked":
        this.#report({ what: "blocked", address: this.listen, reason: decision.reason });
    }
  }

  #report(happening: UpstreamHappening): void {
    this.#host.report({ ...happening, upstream: this.name });
  }

  // --- clients ----------------------------------------------------------------------------------------------------

  #accept(client: Connection): void {
    const arrival = new Arrival(client, (gone) => this.#refuse(gone));
    if (this.state === "stopped" || !this.#host.room.hasRoom) {
      client.carryOut("destroy");
      return;
    }
    this.#accepted++;
    this.#dialFor(arrival, (code) => {
      // It waits, in case the server comes back soon.
      this.#arrivals.set(
        arrival,
        this.#host.clock.after(WAIT_MS, () => this.#refuse(arrival)),
      );
      this.#waiting.add(arrival);
      this.#do(this.#availability.dialFailed(code, this.#now));
    });
    this.#host.room.take();
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
    arrival.client.carryOut("destroy");
    this.#host.room.free();
  }

  #pair(arrival: Arrival, server: Connection): void {
    this.#arrivals.delete(arrival);
    const session = new Session(arrival.client, server, this.#sessionHost);
    this.sessions.add(session);
    server.handOver(session.fromServer);
    arrival.handOver(session.fromClient);
  }

  // --- what sessions tell -----------------------------------------------------------------------------------------

  #hear(session: Session, news: SessionNews): void {
    switch (news) {
      case "server-ended":
        // Was it the last one? Then the server may be down.
        if (!session.tellsOutage) return;
        for (const other of this.sessions) if (other !== session && other.isServerOpen) return;
        this.#do(this.#availability.lastEnded(this.#now));
        return;
      case "server-silent":
        session.destroy();
        this.#do(this.#availability.silent(this.#now));
        return;
      case "first-word-answered":
        this.#availability.firstWordAnswered();
        return;
      case "closed":
        if (this.sessions.delete(session)) this.#host.room.free();
    }
  }
}
