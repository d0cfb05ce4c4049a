import { formatAddress, type Address } from "../config/address.ts";
import { sessionEnd, type SessionEnd } from "../happening/ends.ts";
import type { RefusalReason, UpstreamHappening } from "../happening/happening.ts";
import type { Connection } from "../session/connection.ts";
import { MessageCounts } from "../session/message-counts.ts";
import type { Session } from "../session/session.ts";
import type { Storages } from "../storage/storages.ts";
import type { Protocol } from "../wire/handshake.ts";
import { Admission, OPEN, type AdmissionRules } from "./admission.ts";
import type { Arrival } from "./arrival.ts";
import { Arrivals } from "./arrivals.ts";
import { Availability, type Decision, type Found } from "./availability.ts";
import type { Dialling } from "./dialling.ts";
import type { ListenFailure, RepairMode, UpstreamConfig, UpstreamHost } from "./host.ts";
import { ListeningAddress } from "./listening-address.ts";
import { isWorthWaiting } from "./local-trouble.ts";
import type { Nobody } from "./nobodies.ts";
import { Places } from "./places.ts";
import { Sessions, type SessionsHost, type Traffic } from "./sessions.ts";
import { Silence } from "./silence.ts";
import { told } from "./telling.ts";
import type { Host } from "./transport.ts";
import { Tries } from "./tries.ts";

/** Descriptors that must be left when a client was accepted: for its dial, and for the next one to come. */
const SPARE = 3;
/** How long a client waits where they are not left: it has one that others need. */
const SHORT_WAIT_MS = 3_000;

/** One listening address, the server behind it, and the sessions between them. `Availability` decides when it listens. */
export class Upstream {
  #name: string;
  readonly #places: Places;
  readonly #silence: Silence;
  readonly #expected: readonly string[];
  /** The server's, as it has greeted last. */
  #family: Protocol["family"] | undefined;
  readonly #host: UpstreamHost;
  readonly #tries: Tries;
  readonly #availability = new Availability();
  readonly #admission: Admission;
  readonly #address: ListeningAddress;
  readonly #arrivals: Arrivals;
  readonly #sessions: Sessions;
  /** Of all sessions so far. */
  readonly messages = new MessageCounts();
  readonly #unwatchRoom: () => void;
  readonly #unwatchNobodies: (() => void) | undefined;
  /** They have no place any more, though their connections are not closed yet. */
  readonly #givenUp = new WeakSet<Session>();
  #accepted = 0;
  #moves = 0;
  readonly #refused: Partial<Record<RefusalReason, number>> = {};
  /** Tell whoever waits for `bind`, and for `begin`. */
  #binding: ((failure: ListenFailure | undefined) => void) | undefined;
  #starting: (() => void) | undefined;

  constructor(config: UpstreamConfig, host: UpstreamHost) {
    const { name, listen, server, standbys, storages: expected = [], repair = "on" } = config;
    const { clock, memory, room, settings, storages, transport } = host;
    this.#name = name;
    this.#places = new Places(server, standbys);
    this.#silence = new Silence(clock.now());
    this.#expected = expected;
    this.#host = host;
    const { limits } = settings;
    const dialling: Dialling = {
      transport,
      clock,
      get timeoutMs() {
        return limits.handshakeMs;
      },
    };
    const tried = {
      places: this.#places,
      mayMove: () => this.#mayMove,
      moved: (from: Address, left: Storages | undefined) => this.#moved(from, left),
    };
    this.#tries = new Tries(tried, dialling, storages);
    this.#admission = new Admission(host.admission ?? OPEN, {
      headerMs: () => limits.handshakeMs,
      refused: ({ peer }, reason) => this.#refuse(peer, reason),
      now: () => this.#now,
      oldestNobody: () => this.#oldestNobody(),
    });
    this.#unwatchNobodies = host.nobodies?.offer(() => this.#oldestNobody());
    this.#address = new ListeningAddress(listen, transport, {
      door: this.#admission,
      accepted: (client) => this.#accept(client),
      hindered: (code) => this.#do(this.#availability.hindered(code, this.#now)),
    });
    this.#arrivals = new Arrivals(this.#places, dialling, {
      connected: (arrival, connection) => this.#pair(arrival, connection),
      left: (client) => this.#left(client.host),
      memory,
      ended: ({ peer }, end) => this.#ended(peer, end),
    });
    this.#sessions = this.#makeSessions(repair);
    this.#unwatchRoom = room.watch((hasRoom) => this.#do(this.#availability.room(hasRoom)));
  }

  #makeSessions(repair: RepairMode): Sessions {
    const { settings, clock, memory, report } = this.#host;
    const name = (): string => this.#name;
    const host: SessionsHost = {
      // What may change is asked for when it is needed.
      settings: {
        limits: settings.limits,
        get name() {
          return name();
        },
        get refuseUnknown() {
          return settings.refuseUnknown;
        },
      },
      clock,
      memory,
      messages: this.messages,
      report,
      isListening: () => this.#address.isAskedFor,
      serverGreets: () => this.#availability.greets,
      serverEnded: () => this.#lookForOutage(),
      serverSilent: () => this.#do(this.#availability.silent(this.#isAliveAnywhere, this.#now)),
      serverGreeted: () => this.#availability.greeted(),
      severalAddresses: (addresses) =>
        this.#report({ what: "several-addresses", server: this.serverAddress, addresses }),
      left: (session) => {
        if (!this.#givenUp.delete(session)) this.#left(session.host);
      },
    };
    return new Sessions(host, repair);
  }

  /** Are its sessions repaired? */
  get repair(): RepairMode {
    return this.#sessions.repair;
  }

  /** So many of them are observed. */
  get observed(): number {
    return this.#sessions.observed;
  }

  /** They are from now on, or are not: each from the next moment on at which nothing of it is on its way. */
  set repair(repair: RepairMode) {
    this.#sessions.repair = repair;
    this.#follow();
  }

  /** What is known of its server is told who observes, and which storages are expected: once both are known, and again. */
  #follow(): void {
    const { storages } = this;
    if (storages === undefined) return;
    const observes = this.repair === "observe";
    storages.observedBy(this, observes);
    if (this.#family === undefined || this.state === "stopped") return;
    (observes ? storages.shadows : storages).expect(this.#expected, this.#family, this.#name);
  }

  #ended(client: string, end: SessionEnd): void {
    this.#host.report({ what: "ended", storage: undefined, end, upstream: this.#name, client });
  }

  /** What logs and statistics call it. */
  get name(): string {
    return this.#name;
  }

  /** It is called otherwise from now on, also where its present sessions are told of. */
  rename(name: string): void {
    this.#name = name;
  }

  get state(): Availability["state"] {
    return this.#availability.state;
  }

  /** Where the server is taken to be. */
  get serverAddress(): string {
    return formatAddress(this.#places.present);
  }

  /** So often it was found at another place. */
  get moves(): number {
    return this.#moves;
  }

  /** Where it can be otherwise. */
  get standbys(): string[] {
    return this.#places.others.map(formatAddress);
  }

  /** `host:port` once it was bound, also while it is given up. */
  get listen(): string | undefined {
    return this.#address.bound;
  }

  /** `host:port`, bound or not. */
  get address(): string {
    return this.#address.text;
  }

  /** Addresses of the server that sessions are registered at. */
  get serverAddresses(): string[] {
    return this.#sessions.serverAddresses;
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions.all;
  }

  /** Clients so far, and now. */
  get accepted(): number {
    return this.#accepted;
  }

  get clients(): number {
    return this.#sessions.all.size + this.#arrivals.size;
  }

  /** Clients that have no server yet. */
  get arriving(): number {
    return this.#arrivals.size;
  }

  /** Clients that the door has refused, or for which there was no server, by reason. */
  get refused(): Readonly<Record<string, number>> {
    return { "no-server": this.#arrivals.unserved, ...this.#refused };
  }

  #refuse(client: string, reason: RefusalReason): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
    this.#host.report({ what: "refused", upstream: this.name, client, reason });
  }

  /** Bytes of all sessions so far. */
  get traffic(): Traffic {
    return this.#sessions.traffic;
  }

  /** Those of its server, once it is known which one it is. */
  get storages(): Storages | undefined {
    return this.#tries.storages;
  }

  /** Is anybody connected to the server? */
  get isAlive(): boolean {
    return this.#sessions.isServerAlive;
  }

  // --- the address ------------------------------------------------------------------------------------------------

  /**
   * Takes the address for the first time. `done` is told why that can't be, or that it need not be waited for: the address
   * is taken, or is not there yet, or a stop comes between.
   */
  bind(done: (failure: ListenFailure | undefined) => void): void {
    this.#binding = done;
    this.#address.ask({
      listening: () => {
        this.#do(this.#availability.opened());
        this.#bound();
      },
      failed: (code, cause) => {
        const isAwaited = this.#binding !== undefined;
        if (isAwaited && !isWorthWaiting(code)) {
          this.#bound({ code, cause });
          return;
        }
        this.#do(this.#availability.openFailed(code, this.#now));
        this.#bound();
      },
    });
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
    if (found.isUp) {
      this.#family = found.family;
      this.#follow();
    }
    this.#do(this.#availability.tried(found, this.#isAliveAnywhere, this.#now));
    this.#sessions.tellDecidedEnds();
    this.#started();
  }

  /**
   * May it be taken to be elsewhere? Never while anybody is served where it was: new connections to it can fail for reasons of
   * their own, and the clients of two places would not hear of each other's commits.
   */
  get #mayMove(): boolean {
    const { downSince } = this.#availability;
    const { failoverMs = Infinity } = this.#host.settings.limits;
    const now = this.#now;
    const silentMs = this.#silence.hear(this.#host.heardOfServer?.() ?? this.traffic.fromServer, now);
    return this.state === "down" && downSince !== undefined && now - downSince >= failoverMs && silentMs >= failoverMs;
  }

  #moved(from: Address, left: Storages | undefined): void {
    this.#moves++;
    this.#report({ what: "moved", from: formatAddress(from), to: this.serverAddress });
    this.#arrivals.moved();
    this.#sessions.moved();
    if (left === undefined) return;
    left.observedBy(this, false);
    this.#host.left?.(left);
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
    this.#unwatchRoom();
    this.#unwatchNobodies?.();
    this.#bound();
    this.#started();
    this.#sessions.tellEnds();
    this.#arrivals.refuseAll();
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
    switch (decision.do) {
      case "listen":
        this.#address.ask({
          listening: () => this.#do(this.#availability.opened()),
          failed: (code) => this.#do(this.#availability.openFailed(code, this.#now)),
        });
        return;
      case "give-up-address":
        this.#address.giveUp();
        this.#bound();
        return;
      case "try":
        // The first try may still be on its way, when a client has found out before it.
        this.#tries.plan(decision.afterMs, decision.greeting, (found) => this.#tried(found));
        this.#started();
        return;
      case "admit":
        this.#arrivals.admit();
        return;
      case "tell-up":
        this.#report(told(decision, this.#address.text, this.serverAddress));
        this.storages?.nudge();
        return;
      case "tell-listening":
      case "tell-down":
      case "tell-blocked":
      case "tell-trouble":
      case "tell-trouble-over":
        this.#report(told(decision, this.#address.text, this.serverAddress));
    }
  }

  #report(happening: UpstreamHappening): void {
    this.#host.report({ ...happening, upstream: this.name });
  }

  /** Who may come from now on. Who is connected stays, and counts. */
  admit(rules: AdmissionRules): void {
    this.#admission.rules = rules;
  }

  // --- clients ----------------------------------------------------------------------------------------------------

  #accept(client: Connection): void {
    const { room, transport } = this.#host;
    const arrival = this.#arrivals.accept(client);
    if (this.state === "stopped") {
      arrival.refuse();
      this.#admission.leaves(client.host);
      return;
    }
    this.#accepted++;
    const code = transport.shortage(SPARE);
    if (code !== undefined) this.#arrivals.wait(arrival, SHORT_WAIT_MS);
    else if (this.#tries.storages === undefined) this.#arrivals.wait(arrival);
    else {
      this.#arrivals.dialFor(arrival, (failure) => {
        this.#arrivals.wait(arrival);
        this.#do(this.#availability.dialFailed(failure, this.#isAliveAnywhere, this.#now));
      });
    }
    room.take();
    if (code !== undefined) this.#do(this.#availability.hindered(code, this.#now));
  }

  #left(host: Host): void {
    this.#admission.leaves(host);
    this.#host.room.free();
  }

  /** Of the clients that have a session. */
  #oldestNobody(): Nobody | undefined {
    const session = this.#sessions.oldestNobody;
    return session === undefined ? undefined : { since: session.since, giveUp: () => this.#giveUp(session) };
  }

  #giveUp(session: Session): void {
    const facts = { sender: "client", expected: "register, before others need the place" } as const;
    this.#givenUp.add(session);
    session.end(sessionEnd("not-registered", session.life, facts), "at-once");
    session.destroy();
    this.#left(session.host);
  }

  #pair(arrival: Arrival, server: Connection): void {
    const { storages } = this.#tries;
    if (storages === undefined) throw new Error("a client is paired before it is known with which server");
    this.#sessions.begin(arrival, server, storages);
  }

  /** The proxy's own has ended. */
  witnessLost(): void {
    this.#lookForOutage();
  }

  /** Was that the last connection to the server? Then a try decides. */
  #lookForOutage(): void {
    if (!this.#isAliveAnywhere) this.#do(this.#availability.lastEnded(this.#now));
  }
}
