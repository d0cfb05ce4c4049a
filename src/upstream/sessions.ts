import { sessionEnd } from "../happening/ends.ts";
import type { Connection, ConnectionHandler } from "../session/connection.ts";
import type { SessionHost, SessionNews } from "../session/host.ts";
import { Memory } from "../session/memory.ts";
import { Session } from "../session/session.ts";
import { SHADOW_BYTES, shadowOf } from "../session/shadow.ts";
import type { Storages } from "../storage/storages.ts";
import type { Arrival } from "./arrival.ts";
import { GatheredEnds } from "./gathered-ends.ts";
import type { RepairMode } from "./host.ts";
import { ServerAddresses } from "./server-addresses.ts";

/** What sessions need of their upstream, and what all of them together tell it of the server. */
export interface SessionsHost extends Omit<SessionHost<Session>, "storages" | "tell"> {
  /** Are clients accepted? Where nobody listens, whose connection ends finds nobody. */
  isListening(): boolean;
  /** It has ended a connection: if nobody is connected to it now, it may be down. */
  serverEnded(): void;
  serverSilent(): void;
  serverGreeted(): void;
  /** It is reached at these addresses at the same time. */
  severalAddresses(addresses: readonly string[]): void;
  /** A session is over, and its connections are closed. */
  left(session: Session): void;
}

/** Bytes that were read from connections, and that these have taken. */
export interface Traffic {
  fromClients: number;
  fromServer: number;
  toClients: number;
  toServer: number;
}

/** The sessions of one upstream, and what their connections say of its server. */
export class Sessions {
  readonly all = new Set<Session>();
  /** In the order in which they came: those of which nobody has seen yet that they are in use. */
  readonly #fresh = new Set<Session>();
  readonly #host: SessionsHost;
  /** Made with the first of them: then it is known which server it is. */
  #forSessions: SessionHost<Session> | undefined;
  readonly #ends: GatheredEnds<Session>;
  readonly #addresses = new ServerAddresses<Session>();
  /** Of sessions that are over. */
  readonly #past: Traffic = { fromClients: 0, fromServer: 0, toClients: 0, toServer: 0 };
  /** A try has just decided about those that hear of their ends now. */
  #isDecided = false;

  /** Of shadows alone: what they keep is none of a client's. */
  readonly #shadowMemory = new Memory(SHADOW_BYTES);
  #repair: RepairMode;

  constructor(host: SessionsHost, repair: RepairMode) {
    this.#host = host;
    this.#repair = repair;
    this.#ends = new GatheredEnds(host.clock);
  }

  /** Are they repaired? */
  get repair(): RepairMode {
    return this.#repair;
  }

  /** So many are observed. */
  get observed(): number {
    let observed = 0;
    for (const { isObserved } of this.all) if (isObserved) observed++;
    return observed;
  }

  set repair(repair: RepairMode) {
    this.#repair = repair;
    for (const session of this.all) session.turnTo(repair === "on" ? "repair" : "observe");
  }

  /** Is anybody connected to the server? */
  get isServerAlive(): boolean {
    for (const session of this.all) if (session.isServerAlive && !this.#ends.has(session)) return true;
    return false;
  }

  /** Addresses of the server that sessions are registered at. */
  get serverAddresses(): string[] {
    return this.#addresses.all;
  }

  /** Of all sessions so far. It asks each that is open. */
  get traffic(): Traffic {
    const all = { ...this.#past };
    for (const session of this.all) add(all, session);
    return all;
  }

  /** Of the client and the server that was dialled for it. `storages`: the same for all. */
  begin(arrival: Arrival, server: Connection, storages: Storages): void {
    const session = new Session(arrival.client, server, this.#sessionHost(storages));
    if (this.#repair === "observe") session.observe();
    this.all.add(session);
    this.#fresh.add(session);
    server.handOver(new FromServer(session, server.peer, this));
    arrival.handOver(session.fromClient);
  }

  /** The server is at another place: nobody may go on at the one before, and who comes has other storages. */
  moved(): void {
    this.#forSessions = undefined;
    for (const session of this.all) {
      if (!session.isServerOpen) continue;
      session.end(sessionEnd("server-changed"), "at-once");
      session.destroy();
    }
  }

  /** Of those that have not registered, and are not in use, the one that came first. */
  get oldestNobody(): Session | undefined {
    for (const session of this.#fresh) {
      if (session.isNobody) return session;
      this.#fresh.delete(session);
    }
    return undefined;
  }

  /** Whoever waits with the end of its server's connection hears of it. */
  tellEnds(): void {
    this.#ends.release();
  }

  /** The same behind a try, which has decided whether that was an outage. */
  tellDecidedEnds(): void {
    this.#isDecided = true;
    this.#ends.release();
    this.#isDecided = false;
  }

  /** What is relayed proves nothing, whichever server it is. */
  heard(session: Session, peer: string): { readonly isLast: boolean } | undefined {
    if (session.life !== "registered") return undefined;
    const addresses = this.#addresses.heard(session, peer);
    if (addresses !== undefined) this.#host.severalAddresses(addresses);
    return this.#addresses.placeOf(session);
  }

  /** Where it may be an outage, a try decides first, and whoever is held hears of it behind that. */
  serverEnded(session: Session, tell: () => void): void {
    const mayBeOutage = session.isServerOpen && session.tellsOutage && this.#host.isListening();
    if (!mayBeOutage && !this.#ends.has(session)) {
      tell();
      return;
    }
    this.#ends.hold(session, tell);
    this.#host.serverEnded();
  }

  #sessionHost(storages: Storages): SessionHost<Session> {
    const { settings, clock, memory, messages, report } = this.#host;
    if (this.#forSessions !== undefined) return this.#forSessions;
    const host: SessionHost<Session> = {
      settings,
      clock,
      storages,
      memory,
      messages,
      report,
      serverGreets: () => this.#host.serverGreets(),
      tell: (session, news) => this.#hear(session, news),
      shadow: (client, server) => shadowOf(host, this.#shadowMemory, client, server),
    };
    this.#forSessions = host;
    return host;
  }

  #hear(session: Session, news: SessionNews): void {
    switch (news) {
      case "server-ended":
        if (session.tellsOutage && !this.#isDecided) this.#host.serverEnded();
        return;
      case "server-silent":
        this.#host.serverSilent();
        return;
      case "greeted":
        this.#host.serverGreeted();
        return;
      case "closed":
        this.#addresses.left(session);
        this.#fresh.delete(session);
        if (!this.all.delete(session)) return;
        add(this.#past, session);
        this.#host.left(session);
    }
  }
}

function add(traffic: Traffic, { view: { received, sent } }: Session): void {
  traffic.fromClients += received.client;
  traffic.fromServer += received.server;
  traffic.toClients += sent.client;
  traffic.toServer += sent.server;
}

/** What a session's server connection is to tell: its end perhaps not at once. */
class FromServer implements ConnectionHandler {
  readonly #session: Session;
  readonly #peer: string;
  readonly #sessions: Sessions;
  #place: { readonly isLast: boolean } | undefined;

  constructor(session: Session, peer: string, sessions: Sessions) {
    this.#session = session;
    this.#peer = peer;
    this.#sessions = sessions;
  }

  read(bytes: Buffer): void {
    // Asked for each chunk that is read.
    if (this.#place?.isLast !== true) this.#place = this.#sessions.heard(this.#session, this.#peer);
    this.#session.read("server", bytes);
  }

  ended(): void {
    this.#sessions.serverEnded(this.#session, () => this.#session.fromServer.ended());
  }

  drained(): void {
    this.#session.fromServer.drained();
  }

  closed(): void {
    this.#sessions.serverEnded(this.#session, () => this.#session.fromServer.closed());
  }
}
