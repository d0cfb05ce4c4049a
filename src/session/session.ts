import type { RawReason, SessionHappening } from "../happening/happening.ts";
import { sessionEnd, type SessionEnd } from "../happening/ends.ts";
import type { Clock } from "../clock.ts";
import type { Storage } from "../storage/storage.ts";
import type { Codec } from "../wire/codec.ts";
import type { FrameLimits, FrameStream } from "../wire/frame.ts";
import type { Protocol } from "../wire/handshake.ts";
import type { Calls } from "./calls.ts";
import type { Connection, ConnectionHandler, Party } from "./connection.ts";
import { Conversation, type Handlers } from "./conversation.ts";
import { EarlyToClient, EarlyToServer } from "./early.ts";
import { Flow, PAUSE_ABOVE_BYTES } from "./flow.ts";
import { FromParty, type Told } from "./from-party.ts";
import type { HandshakeStep } from "./handshake.ts";
import type { SessionHost, SessionNews } from "./host.ts";
import { Leg } from "./leg.ts";
import { Lifetime, type LifetimeHost } from "./lifetime.ts";
import type { Life } from "./lives.ts";
import type { Share } from "./memory.ts";
import { Mode, type ModeHost } from "./mode.ts";
import type { Shadow } from "./observation.ts";
import { Outlet } from "./outlet.ts";
import { QuestionIds } from "./question-ids.ts";
import { Registration } from "./registration.ts";
import { mayWait, standingOf, type Followed, type Standing } from "./standing.ts";
import { Stall } from "./stall.ts";
import { ToClient } from "./to-client.ts";
import { ToServer } from "./to-server.ts";
import { Unread } from "./unread.ts";
import type { SessionView } from "./view.ts";
import type { How, Turns } from "./turns.ts";

/** For each so many bytes that are read it is looked at what is kept: a look costs more than a small message. */
const WEIGH_BYTES = 8 * 1024;

/** Why a connection is relayed that is one of a ZEO client's all the same. */
const ONES_OWN: readonly RawReason[] = ["tls", "mac", "observe", "lost"];

/**
 * One client and its server connection. Bytes and events come in by the handlers of the connections, and lead to bytes
 * and few commands for them; what an end leads to is in `Lifetime`.
 */
export class Session implements Turns, Told, LifetimeHost, Shadow {
  // First what is looked at for each chunk: of many clients nothing is in the processor's caches when one of them says something.
  // The first three follow from the life: see `became`.
  /** Who reads the client's bytes, and who the server's, while they come in frames. */
  #clientFrames: FrameStream | undefined;
  #serverFrames: FrameStream | undefined;
  #registration: Registration | undefined;
  readonly #outlet: Outlet;
  readonly #toServer: Connection;
  readonly #flow: Flow;
  /** Bytes that were read since it was looked at what is kept. */
  #unweighed = 0;
  /** Bytes that were read of each. */
  #clientBytes = 0;
  #serverBytes = 0;

  /** `address:port` of the client. */
  readonly peer: string;
  /** What its two connections are to tell. */
  readonly fromClient: ConnectionHandler = new FromParty(this, "client");
  readonly fromServer: ConnectionHandler = new FromParty(this, "server");
  readonly #host: SessionHost<Session>;
  readonly #client: Leg;
  readonly #server: Leg;
  /** Made when they are needed first: most clients and servers are never behind. */
  #stall: Stall | undefined;
  #unread: Unread | undefined;
  readonly #share: Share;
  readonly #lifetime: Lifetime;
  readonly #startedMs: number;
  #protocol: string | undefined;
  #storage: string | undefined;
  #isQuiesced = false;
  /** Its `register` waits to be forwarded. */
  #hasAsked = false;
  /** Of one that is observed, or was, or is to be. */
  #mode: Mode<Session> | undefined;

  constructor(client: Connection, server: Connection, host: SessionHost<Session>) {
    const { clock, settings } = host;
    this.#toServer = server;
    this.peer = client.peer;
    this.#host = host;
    const { limits } = settings;
    this.#client = new Leg(client, clock, { limits, lost: () => this.#lifetime.tell(this.#tooSlow()) });
    this.#server = new Leg(server, clock);
    this.#outlet = new Outlet(client);
    this.#flow = new Flow(this.#server, this.#outlet);
    this.#share = host.memory.share(
      () => this.#letGo(),
      () => this.#kept(),
    );
    this.#startedMs = clock.now();
    this.#lifetime = new Lifetime(this.#client, this.#server, this.#outlet, this);
    this.#report({ what: "opened" });
  }

  // --- what others see of it --------------------------------------------------------------------------------------

  get life(): Life["is"] {
    return this.#lifetime.now.is;
  }

  /** The address of its client, where that is known. */
  get host(): string | undefined {
    return this.#client.connection.host;
  }

  get isServerOpen(): boolean {
    return !this.#server.hasEnded;
  }

  /** When it began, by the clock. */
  get since(): number {
    return this.#startedMs;
  }

  /** Its client has not said what it is here for. Once it has, this stays so. */
  get isNobody(): boolean {
    return !this.#hasAsked && this.#lifetime.isNobody;
  }

  /** Its server has said something, and has not ended it. */
  get isServerAlive(): boolean {
    return this.isServerOpen && this.#serverBytes > 0 && this.life !== "over";
  }

  /** A server that ends it may be down. (It always ends a monitor's, and those that it does not understand.) */
  get tellsOutage(): boolean {
    const life = this.#lifetime.now;
    if (this.#client.hasEnded || life.is === "orphan") return false;
    if (life.is === "relayed") return ONES_OWN.includes(life.reason) && this.#lifetime.isInUse;
    return "registration" in life;
  }

  /** So many of its client's calls wait for their replies. */
  get openCalls(): number {
    const life = this.#lifetime.now;
    return "talk" in life ? life.talk.calls.size : 0;
  }

  /** Has its client been granted a vote that it has neither finished nor aborted? */
  get hasVoted(): boolean {
    const life = this.#lifetime.now;
    if (this.#mode?.shadow !== undefined) return this.#mode.shadow.hasVoted;
    return life.is === "registered" && life.registration.hasVoted;
  }

  /** Nothing of a commit of its is on the way, and all that was read for its client is written. */
  get isSettled(): boolean {
    const life = this.#lifetime.now;
    if (!this.#client.isClosed && !this.#outlet.isShut && this.#client.connection.queuedBytes > 0) return false;
    if (this.#mode?.shadow?.isCommitting === true) return false;
    return !("registration" in life) || life.registration.isSettled;
  }

  /** What there is to show of it. Bytes were read from that party, and taken by it. */
  get view(): SessionView {
    const life = this.#lifetime.now;
    const { announced } = this.#outlet;
    // What is relayed only its shadow understands.
    const seen = this.#mode?.shadow?.view;
    return {
      client: this.peer,
      server: this.#toServer.peer,
      life: life.is,
      isObserved: this.isObserved,
      protocol: this.#protocol ?? seen?.protocol,
      storage: this.#storage ?? seen?.storage,
      ageMs: this.#host.clock.now() - this.#startedMs,
      received: { client: this.#clientBytes, server: this.#serverBytes },
      sent: { client: this.#client.connection.progress, server: this.#toServer.progress },
      waitingBytes: this.#client.isClosed ? 0 : Math.round(this.#outlet.queuedBytes),
      held: this.#registration?.held ?? 0,
      heldBytes: this.#registration?.heldBytes ?? 0,
      isFinishing: this.#registration?.isFinishing ?? false,
      calls: this.openCalls,
      repairs: announced.completed + announced.synthesized + announced.late,
    };
  }

  // --- what its lifetime needs ------------------------------------------------------------------------------------

  get clock(): Clock {
    return this.#host.clock;
  }

  get handshakeMs(): number {
    return this.#host.settings.limits.handshakeMs;
  }

  serverGreets(): boolean {
    return this.#host.serverGreets();
  }

  bytesOf(party: Party): number {
    return party === "client" ? this.#clientBytes : this.#serverBytes;
  }

  /** The only place that knows whose frames are read in which life. */
  became(life: Life): void {
    const isOpen = life.is === "open" || life.is === "registered";
    this.#clientFrames = isOpen ? life.talk.clientFrames : undefined;
    this.#serverFrames = isOpen || life.is === "orphan" ? life.talk.serverFrames : undefined;
    this.#registration = "registration" in life ? life.registration : undefined;
    if (life.is === "over") this.#mode?.over();
  }

  tell(news: SessionNews): void {
    this.#host.tell(this, news);
  }

  ended(end: SessionEnd): void {
    this.#report({ what: "ended", storage: this.#storage, end });
  }

  left(storage: Storage): void {
    this.#host.storages.forgetUnused(storage);
  }

  // --- what others decide for it ----------------------------------------------------------------------------------

  /** Reads no more requests of its client: a stop lets what is on the way settle, and begins nothing new. */
  quiesce(): void {
    this.#isQuiesced = true;
    this.#client.pause();
  }

  /** Ends it in order: what was written goes out, for a while. */
  stop(): void {
    this.#lifetime.giveUp();
    this.#client.close();
    this.#server.close();
  }

  /** Closes both connections at once, whatever waits. */
  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  // --- what its connections tell ----------------------------------------------------------------------------------

  read(party: Party, bytes: Buffer): void {
    if (party === "client") this.#readClient(bytes);
    else this.#readServer(bytes);
  }

  partyEnded(party: Party): void {
    if (party === "client") this.#try("client", () => this.#lifetime.clientEnded());
    else this.#try("server", () => this.#lifetime.serverEnded(false));
    this.#mode?.ended(party);
  }

  drained(party: Party): void {
    if (party === "client") this.#try("client", () => this.look());
    else this.#readOn();
  }

  closed(party: Party): void {
    this.#mode?.closed(party);
    this.#closed(party === "client" ? this.#client : this.#server);
  }

  // --- bytes ------------------------------------------------------------------------------------------------------

  #readClient(bytes: Buffer): void {
    try {
      this.#clientBytes += bytes.length;
      if (this.#clientFrames !== undefined) this.#clientFrames.push(bytes);
      else this.#clientSaid(bytes);
      if (this.#toServer.isBehind) this.#leaveUnread();
      this.#weighNow(bytes.length);
      this.#mode?.look();
    } catch (error) {
      this.#lifetime.failed(error, "client");
    }
  }

  #readServer(bytes: Buffer): void {
    try {
      this.#serverBytes += bytes.length;
      if (this.#serverFrames !== undefined) this.#serverFrames.push(bytes);
      else this.#serverSaid(bytes);
      this.#review();
      this.#weighNow(bytes.length);
      this.#mode?.look();
    } catch (error) {
      this.#lifetime.failed(error, "server");
    }
  }

  /** That is not in frames; or nobody is left to read it, and a commit that is begun now would never end. */
  #clientSaid(bytes: Buffer): void {
    const life = this.#lifetime.now;
    if (life.is === "shaking") {
      this.#shake(life.handshake.client(bytes), "client");
    } else if (life.is === "relayed") {
      this.#lifetime.used("client");
      this.#toServer.write(bytes);
      this.#mode?.read("client", bytes);
    }
  }

  /** The same of the server. */
  #serverSaid(bytes: Buffer): void {
    this.#lifetime.heard();
    const life = this.#lifetime.now;
    if (life.is === "shaking") {
      if (this.#clientBytes === 0) this.#host.tell(this, "greeted");
      this.#shake(life.handshake.server(bytes), "server");
    } else if (life.is === "relayed") {
      this.#lifetime.used("server");
      this.#outlet.write(bytes);
      this.#mode?.read("server", bytes);
    }
  }

  // --- the handshake ----------------------------------------------------------------------------------------------

  #shake(step: HandshakeStep, speaker: Party): void {
    const sender = step.isGreeting === true ? "server" : speaker;
    if (step.raw !== undefined && this.#refuses(step.raw, sender)) return;
    if (step.toServer !== undefined) this.#toServer.write(step.toServer);
    if (step.toClient !== undefined) this.#outlet.write(step.toClient);
    if (step.raw !== undefined) this.#relay(step.raw, sender);
    if (step.protocol !== undefined) this.#open(step.protocol, step);
    // It may have waited for what the client had said.
    this.#lifetime.passClientEnd();
  }

  /** The protocol is known: what came behind the names is read as it is, each as its sender's. */
  #open(protocol: Protocol, step: HandshakeStep): void {
    this.#protocol = protocol.name;
    const talk = new Conversation(protocol, step, this.#newQuestionIds(), (codec, calls) => this.#early(codec, calls));
    this.#lifetime.become({ is: "open", talk });
    const { clientRest, serverRest } = step;
    if (clientRest !== undefined) this.#try("client", () => talk.clientFrames.push(clientRest));
    if (serverRest !== undefined) this.#try("server", () => talk.serverFrames.push(serverRest));
  }

  #newQuestionIds(): QuestionIds {
    return new QuestionIds(`${this.peer} ${this.#toServer.peer} ${this.#startedMs}`);
  }

  #early(codec: Codec, calls: Calls): Handlers {
    const { messages } = this.#host;
    return {
      toServer: new EarlyToServer(codec, calls, this.#toServer, this, messages),
      toClient: new EarlyToClient(codec, calls, this.#outlet, this, messages),
    };
  }

  /** From now on bytes are relayed as they are, unless the configuration refuses that. `sender`: whose bytes are why. */
  #relay(reason: RawReason, sender: Party): void {
    if (this.life === "relayed" || this.#refuses(reason, sender)) return;
    this.#lifetime.become({ is: "relayed", reason });
    this.#report({ what: "relayed", reason });
  }

  #refuses(reason: RawReason, sender: Party): boolean {
    if (!this.#host.settings.refuseUnknown || reason === "ruok") return false;
    this.end(sessionEnd("unknown-protocol", reason, { sender }), "at-once");
    return true;
  }

  // --- turns ------------------------------------------------------------------------------------------------------

  register(name: string, forward: () => void): void {
    const life = this.#lifetime.now;
    // Behind the server's end nobody answers it.
    if (life.is !== "open" || !this.isServerOpen) return;
    const { talk } = life;
    const storage = this.#host.storages.get(name, talk.server.protocol.family);
    const then = (): void => {
      if (this.#host.isShadow === true) return;
      if (this.#lifetime.now !== life || !this.isServerOpen) {
        this.left(storage);
        // Else nobody would hear that its client has gone, too.
        this.#readOn();
        return;
      }
      this.#try("client", () => this.#register(storage, talk, forward));
      this.#readOn();
      this.#try("client", () => talk.clientFrames.again());
    };
    // What a shadow would wait for has been forwarded already.
    const waits = storage.waits(this.#host.settings.name, then);
    if (!waits || this.#host.isShadow === true) {
      this.#register(storage, talk, forward);
      return;
    }
    this.#hasAsked = true;
    this.#client.pause();
  }

  #register(storage: Storage, talk: Conversation, forward: () => void): void {
    this.#follow(talk, this.#place(storage, talk));
    forward();
    // Its server's connection may be unread already: from now on the storage decides that, too.
    this.#review();
  }

  /** It has a place in the storage from now on. */
  #place(storage: Storage, talk: Conversation): Registration {
    const { clock, report, settings, isShadow } = this.#host;
    const ways = { server: this.#toServer, outlet: this.#outlet };
    const assumes = isShadow === true ? clock : undefined;
    const surroundings = { settings, client: this.peer, report, clock, assumes };
    const registration = new Registration(storage, talk, ways, this, surroundings);
    this.#storage = storage.name;
    this.#lifetime.become({ is: "registered", talk, registration });
    return registration;
  }

  /** What both say from now on is followed. */
  #follow(talk: Conversation, registration: Registration): void {
    const toServer = new ToServer(talk, registration, this.#toServer, this.#host.messages);
    const toClient = new ToClient(talk, registration, this.#outlet, this, this.#host);
    talk.continueWith({ toServer, toClient }, this.#frameLimits);
  }

  get #frameLimits(): FrameLimits {
    const { frameBytes } = this.#host.settings.limits;
    return { maxFrameBytes: frameBytes, maxHeldBytes: frameBytes };
  }

  unregister(): void {
    const life = this.#lifetime.now;
    if (life.is !== "registered") return;
    const { talk } = life;
    if (talk.calls.hasSpecial) {
      const expected = "no other call before the reply to register";
      this.end(sessionEnd("call-before-register", "one that waits", { sender: "client", expected }), "behind");
      return;
    }
    this.#storage = undefined;
    talk.reads?.clear();
    this.#lifetime.become({ is: "open", talk });
    talk.continueWith(this.#early(talk.client.codec, talk.calls));
  }

  foundMac(sender: Party): void {
    const life = this.#lifetime.now;
    this.#relay("mac", sender);
    if (!("talk" in life)) return;
    life.talk.clientFrames.turnRaw();
    life.talk.serverFrames.turnRaw();
  }

  end(end: SessionEnd, how: How): void {
    // Whoever decides that may be at work for another session, which this one's errors are no affair of.
    try {
      this.#lifetime.end(end, how);
    } catch {
      this.destroy();
    }
  }

  done(party: Party): void {
    this.#lifetime.done(party);
  }

  look(): void {
    this.#lifetime.passClientEnd();
    const life = this.#lifetime.now;
    // Behind the server's end nothing more is looked at.
    const isRead = life.is === "registered" || life.is === "orphan";
    if (isRead && life.talk.serverFrames.waits) this.#try("server", () => life.talk.serverFrames.again());
    this.#review();
    this.#weigh();
  }

  // --- observed, or repaired --------------------------------------------------------------------------------------

  /** Are its bytes relayed as they come, and followed aside? */
  get isObserved(): boolean {
    return this.#mode?.isObserved === true;
  }

  /** It is observed from the beginning: nothing has been read yet. */
  observe(): void {
    this.#mode = new Mode(this.#modeHost());
    this.#mode.observe();
  }

  /** It is to be repaired, or observed, from the next moment on at which nothing of it is on its way. */
  turnTo(to: "repair" | "observe"): void {
    this.#mode ??= new Mode(this.#modeHost());
    this.#mode.turnTo(to);
  }

  #modeHost(): ModeHost<Session> {
    return {
      host: this.#host,
      lifetime: this.#lifetime,
      outlet: this.#outlet,
      server: this.#toServer.peer,
      client: this.peer,
      limits: () => this.#frameLimits,
      talkFrom: (there) => this.#talkFrom(there),
      place: (storage, talk) => this.#place(storage, talk),
      follow: (talk, registration) => this.#follow(talk, registration),
      readOn: () => this.#readOn(),
      safely: (work) => this.#try("client", work),
      report: (reason) => this.#report({ what: "relayed", reason }),
      left: (storage) => this.left(storage),
    };
  }

  // --- as the shadow of another -----------------------------------------------------------------------------------

  get dropped(): Standing | undefined {
    return standingOf(this.#lifetime.now, () => true);
  }

  get mayWait(): boolean {
    return mayWait(this.#lifetime.now);
  }

  get isCommitting(): boolean {
    return this.#registration?.isCommitting ?? false;
  }

  begin(there: Standing): void {
    if (there.is !== "open" && there.is !== "registered") return;
    const talk = this.#talkFrom(there);
    if (there.is === "open") {
      this.#lifetime.become({ is: "open", talk });
      return;
    }
    const storage = this.#host.storages.get(there.storage, there.protocol.family);
    const { stamp } = storage.ledger;
    const registration = this.#place(storage, talk);
    this.#follow(talk, registration);
    registration.joined(there.known, stamp, this.clock.now());
  }

  /** Goes on where both streams stand between two messages. */
  #talkFrom(there: Followed): Conversation {
    const { protocol } = there;
    const step = { clientStart: this.#clientBytes, serverStart: this.#serverBytes };
    this.#protocol = protocol.name;
    const talk = new Conversation(protocol, step, this.#newQuestionIds(), (codec, calls) => this.#early(codec, calls));
    if (there.is === "registered") talk.client.dialect = talk.server.dialect = there.dialect;
    return talk;
  }

  // --- back-pressure ----------------------------------------------------------------------------------------------

  /** The server is behind: what the client says stays where it is. */
  #leaveUnread(): void {
    this.#client.pause();
    this.#unread ??= new Unread(this.#client.connection, this.#toServer, this.clock, () =>
      this.#try("client", () => this.#lifetime.deserted()),
    );
    this.#unread.watch();
  }

  /** The server is not behind any more. */
  #readOn(): void {
    this.#unread?.stop();
    if (!this.#isQuiesced) this.#client.resume();
  }

  #review(): void {
    if (this.#isFlowing) return;
    const life = this.#lifetime.now;
    if (life.is === "over" || life.is === "draining") return;
    const waits = "talk" in life && life.talk.serverFrames.waits;
    this.#flow.review("registration" in life ? life.registration : undefined, waits);
    if (!this.#outlet.isSlow || life.is === "relayed") return;
    const { limits } = this.#host.settings;
    this.#stall ??= new Stall(this.#client.connection, this.clock, limits, () => this.end(this.#tooSlow(), "at-once"));
    this.#stall.watch();
  }

  /** Nothing waits on the way to its client: nearly always, and asked for each chunk. */
  get #isFlowing(): boolean {
    const frames = this.#serverFrames;
    if (frames === undefined || frames.waits || this.#outlet.isSlow || this.#flow.isPaused) return false;
    return this.#registration === undefined || this.#registration.heldBytes <= PAUSE_ABOVE_BYTES;
  }

  /** Its client has taken nothing for `limits.stalled`. */
  #tooSlow(): SessionEnd {
    const detail = `${Math.round(this.#outlet.queuedBytes)} bytes wait for it`;
    const expected = `something taken within ${this.#host.settings.limits.stalledMs} ms`;
    return sessionEnd("client-too-slow", detail, { expected });
  }

  /** So much more was read. What little is not counted between two looks is seen at the next one. */
  #weighNow(more: number): void {
    this.#unweighed += more;
    if (this.#unweighed >= WEIGH_BYTES) this.#weigh();
  }

  /** What is kept for it counts for the whole process. */
  #weigh(): void {
    this.#unweighed = 0;
    this.#share.set(this.#kept());
  }

  /** Bytes of all that waits for its client or its server, and of what is not whole yet. */
  #kept(): number {
    const life = this.#lifetime.now;
    let bytes = this.#outlet.queuedBytes + this.#toServer.queuedBytes;
    if (life.is === "shaking") bytes += life.handshake.keptBytes;
    if ("talk" in life) {
      const { calls, clientFrames, reads, serverFrames } = life.talk;
      if (reads !== undefined) bytes += reads.bytes;
      bytes += clientFrames.keptBytes + serverFrames.keptBytes + calls.bytes;
    }
    if ("registration" in life) bytes += life.registration.heldBytes + life.registration.notedBytes;
    return Math.round(bytes);
  }

  /** The process keeps too much, and most of it is this session's. */
  #letGo(): void {
    const detail = `${Math.round(this.#share.bytes)} bytes, more than any other's`;
    try {
      this.#lifetime.letGo(sessionEnd("memory-exhausted", detail));
    } catch {
      this.destroy();
    }
  }

  // --- ends -------------------------------------------------------------------------------------------------------

  /** Whatever goes wrong ends this session, never another one or the process. */
  #try(sender: Party, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#lifetime.failed(error, sender);
    }
  }

  #closed(leg: Leg): void {
    leg.closed();
    if (leg === this.#client) this.#try("client", () => this.#lifetime.clientClosed());
    else this.#try("server", () => this.#lifetime.serverClosed());
    if (leg === this.#client) this.#stall?.stop();
    this.#unread?.stop();
    if (!this.#client.isClosed || !this.#server.isClosed) return;
    this.#share.leave();
    this.#try("server", () => this.#lifetime.bothClosed());
    const durationMs = this.#host.clock.now() - this.#startedMs;
    const bytes = { fromClient: this.#clientBytes, fromServer: this.#serverBytes };
    const facts = { protocol: this.#protocol, storage: this.#storage, ...bytes, durationMs };
    this.#report({ what: "closed", facts: { ...facts, ...this.#outlet.announced } });
    this.#host.tell(this, "closed");
  }

  #report(happening: SessionHappening): void {
    this.#host.report({ ...happening, upstream: this.#host.settings.name, client: this.peer });
  }
}
