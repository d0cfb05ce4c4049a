import type { Clock } from "../clock.ts";
import { endBy, sessionEnd, type SessionEnd } from "../happening/ends.ts";
import type { RawReason, Report, SessionHappening } from "../happening/happening.ts";
import type { Storages } from "../storage/storages.ts";
import type { Codec } from "../wire/codec.ts";
import type { Calls } from "./calls.ts";
import type { Connection, ConnectionHandler, End } from "./connection.ts";
import { Conversation, type Handlers } from "./conversation.ts";
import { EarlyToClient, EarlyToServer } from "./early.ts";
import { mayRead, tooSlow } from "./flow.ts";
import { Handshake, type HandshakeStep } from "./handshake.ts";
import { Leg } from "./leg.ts";
import type { Life } from "./lives.ts";
import { Outlet } from "./outlet.ts";
import { Registration } from "./registration.ts";
import { ToClient } from "./to-client.ts";
import { ToServer } from "./to-server.ts";
import type { Turns } from "./turns.ts";

export interface SessionLimits {
  readonly frameBytes: number;
  readonly decodeBytes: number;
  readonly outboxBytes: number;
  readonly handshakeMs: number;
}

/** What a session tells its upstream, which decides by it whether the server is down. */
export type SessionNews =
  /** The server has accepted and said nothing. */
  | "server-silent"
  /** The server has answered a client that spoke first. */
  | "first-word-answered"
  /** The server has ended the connection before anyone else did. */
  | "server-ended"
  /** Both connections are closed. */
  | "closed";

/** What a session needs of its upstream. */
export interface SessionHost {
  readonly settings: { readonly name: string; readonly limits: SessionLimits; readonly refuseUnknown: boolean };
  readonly clock: Clock;
  readonly storages: Storages;
  readonly report: Report;
  tell(session: Session, news: SessionNews): void;
}

/**
 * One client and its server connection: what it is at a time, and what the ends of the two lead to. Bytes and events
 * come in by the handlers of the connections; bytes and few commands go out to the connections.
 */
export class Session implements Turns {
  /** `address:port` of the client. */
  readonly peer: string;
  /** What its two connections are to tell. */
  readonly fromClient: ConnectionHandler;
  readonly fromServer: ConnectionHandler;
  readonly #host: SessionHost;
  readonly #client: Leg;
  readonly #server: Leg;
  readonly #outlet: Outlet;
  readonly #startedMs: number;
  #life: Life = { is: "shaking", handshake: new Handshake() };
  #protocol: string | undefined;
  #storage: string | undefined;
  /** Why the proxy ended it was told. */
  #isReported = false;
  #isQuiesced = false;
  #isServerPaused = false;
  #cancelSilence: (() => void) | undefined;

  constructor(client: Connection, server: Connection, host: SessionHost) {
    this.peer = client.peer;
    this.#host = host;
    this.#client = new Leg(client, host.clock);
    this.#server = new Leg(server, host.clock);
    this.#outlet = new Outlet(client);
    this.#startedMs = host.clock.now();
    this.#cancelSilence = host.clock.after(host.settings.limits.handshakeMs, () => host.tell(this, "server-silent"));
    this.fromClient = {
      read: (bytes) => this.#try("client", () => this.#readClient(bytes)),
      ended: () => this.#try("client", () => this.#clientEnded()),
      drained: () => this.#try("client", () => this.look()),
      closed: () => this.#closed(this.#client, () => this.#clientClosed()),
    };
    this.fromServer = {
      read: (bytes) => this.#try("server", () => this.#readServer(bytes)),
      ended: () => this.#try("server", () => this.#serverEnded(false)),
      drained: () => this.#readOn(),
      closed: () => this.#closed(this.#server, () => this.#serverClosed()),
    };
    this.#report({ what: "opened" });
  }

  // --- what others see of it --------------------------------------------------------------------------------------

  get isServerOpen(): boolean {
    return !this.#server.hasEnded;
  }

  /** A server that ends it may be down. (It always ends a monitor's, and those that it does not understand.) */
  get tellsOutage(): boolean {
    const life = this.#life;
    if (life.is === "relayed") return life.reason === "tls" || life.reason === "mac";
    return "registration" in life;
  }

  /** Has its client been granted a vote that it has neither finished nor aborted? */
  get hasVoted(): boolean {
    const life = this.#life;
    return life.is === "registered" && life.registration.hasVoted;
  }

  /** Nothing of a commit of its is on the way, and all that was read for its client is written. */
  get isSettled(): boolean {
    const life = this.#life;
    if (!this.#client.isClosed && !this.#outlet.isShut && this.#client.connection.queuedBytes > 0) return false;
    return !("registration" in life) || life.registration.isSettled;
  }

  get life(): Life["is"] {
    return this.#life.is;
  }

  // --- what others decide for it ----------------------------------------------------------------------------------

  /** Reads no more requests of its client: a stop lets what is on the way settle, and begins nothing new. */
  quiesce(): void {
    this.#isQuiesced = true;
    this.#client.connection.carryOut("pause");
  }

  /** Ends it in order: what was written goes out, for a while. */
  stop(): void {
    this.#giveUp();
    this.#client.close();
    this.#server.close();
  }

  /** Closes both connections at once, whatever waits. */
  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  // --- bytes ------------------------------------------------------------------------------------------------------

  #readClient(bytes: Buffer): void {
    this.#client.received += bytes.length;
    const life = this.#life;
    switch (life.is) {
      case "shaking":
        this.#shake(life.handshake.client(bytes));
        break;
      case "open":
      case "registered":
        life.talk.toServer.push(bytes);
        break;
      case "relayed":
        this.#server.connection.write(bytes);
        break;
      // Nobody is left to read it: a commit that is begun now would never end.
      case "draining":
      case "orphan":
      case "over":
        return;
    }
    if (this.#server.connection.isBehind) this.#client.connection.carryOut("pause");
  }

  #readServer(bytes: Buffer): void {
    this.#server.received += bytes.length;
    this.#heard();
    const life = this.#life;
    switch (life.is) {
      case "shaking":
        this.#shake(life.handshake.server(bytes));
        break;
      case "open":
      case "registered":
      case "orphan":
        life.talk.toClient.push(bytes);
        break;
      case "relayed":
        if (life.reason === "tls") this.#host.tell(this, "first-word-answered");
        this.#outlet.write(bytes);
        break;
      case "draining":
      case "over":
        return;
    }
    this.#review();
  }

  /** The server is not silent. */
  #heard(): void {
    this.#cancelSilence?.();
    this.#cancelSilence = undefined;
  }

  #shake(step: HandshakeStep): void {
    if (step.raw !== undefined && this.#refuses(step.raw)) return;
    if (step.toServer !== undefined) this.#server.connection.write(step.toServer);
    if (step.toClient !== undefined) this.#outlet.write(step.toClient);
    if (step.raw !== undefined) this.#relay(step.raw);
    if (step.protocol === undefined) return;
    this.#protocol = step.protocol.name;
    const talk = new Conversation(step.protocol, step, (codec, calls) => this.#early(codec, calls));
    this.#become({ is: "open", talk });
    if (step.clientRest !== undefined) talk.toServer.push(step.clientRest);
    // What came behind the client's name may have ended it.
    if (step.serverRest !== undefined) talk.toClient.push(step.serverRest);
  }

  #early(codec: Codec, calls: Calls): Handlers {
    return {
      toServer: new EarlyToServer(codec, calls, this.#server.connection, this),
      toClient: new EarlyToClient(codec, calls, this.#outlet, this),
    };
  }

  // --- turns ------------------------------------------------------------------------------------------------------

  register(name: string): void {
    const life = this.#life;
    if (life.is !== "open") return;
    const { talk } = life;
    const { clock, report, settings, storages } = this.#host;
    const storage = storages.get(name, talk.server.protocol.family);
    const ends = { server: this.#server.connection, outlet: this.#outlet };
    const registration = new Registration(storage, talk, ends, this, { upstream: settings.name, report });
    this.#storage = name;
    this.#become({ is: "registered", talk, registration });
    const { frameBytes, decodeBytes } = settings.limits;
    talk.continueWith(
      {
        toServer: new ToServer(talk, registration, this.#server.connection, this),
        toClient: new ToClient(talk, registration, this.#outlet, this, clock),
      },
      { maxFrameBytes: frameBytes, maxHeldBytes: Math.min(decodeBytes, frameBytes) },
    );
  }

  unregister(): void {
    const life = this.#life;
    if (life.is !== "registered") return;
    const { talk } = life;
    this.#storage = undefined;
    this.#become({ is: "open", talk });
    talk.continueWith(this.#early(talk.client.codec, talk.calls));
    this.#review();
  }

  foundMac(): void {
    const life = this.#life;
    this.#relay("mac");
    if ("talk" in life) {
      life.talk.toServer.turnRaw();
      life.talk.toClient.turnRaw();
    }
  }

  /** From now on bytes are relayed as they are, unless the configuration refuses that. */
  #relay(reason: RawReason): void {
    if (this.#life.is === "relayed" || this.#refuses(reason)) return;
    this.#heard();
    this.#become({ is: "relayed", reason });
    this.#report({ what: "relayed", reason });
  }

  #refuses(reason: RawReason): boolean {
    if (!this.#host.settings.refuseUnknown || reason === "ruok") return false;
    this.end(sessionEnd("unknown-protocol", reason), "at-once");
    return true;
  }

  end(end: SessionEnd, how: "at-once" | "behind"): void {
    if (this.#life.is === "over") return;
    this.#reportEnd(end);
    this.#giveUp();
    if (how === "at-once") this.#client.destroy();
    else this.#client.close();
  }

  done(end: End): void {
    if (end === "client") this.#client.close();
    this.#become({ is: "over" });
  }

  look(): void {
    this.#passClientEnd();
    this.#review();
  }

  // --- ends -------------------------------------------------------------------------------------------------------

  /** Whatever goes wrong ends this session, never another one or the process. */
  #try(sender: End, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error, sender);
    }
  }

  #failed(error: unknown, sender: End): void {
    try {
      const life = this.#life;
      const offset = "talk" in life ? life.talk.from(sender).payloadOffset : 0;
      // The server can't be followed any more: the reply to a commit that is on its way will never be known.
      if (sender === "server" && "registration" in life && life.registration.isFinishing) {
        life.talk.toClient.stop();
        life.registration.serverGone(true);
      }
      this.#reportEnd(endBy(error, sender, offset));
      this.#giveUp();
      this.#client.destroy();
    } catch {
      this.destroy();
    }
  }

  /** The client has closed its half. */
  #clientEnded(): void {
    this.#client.hasEnded = true;
    const life = this.#life;
    if (life.is === "draining" || life.is === "orphan" || life.is === "over") return;
    const truncation = "talk" in life ? life.talk.truncation("client") : undefined;
    if (truncation !== undefined) this.end(truncation, "at-once");
    else this.#passClientEnd();
  }

  /** A half-close goes on to the server, behind the replies to commits that are on their way. */
  #passClientEnd(): void {
    const life = this.#life;
    if (!this.#client.hasEnded || ("registration" in life && life.registration.isFinishing)) return;
    this.#server.end();
  }

  #clientClosed(): void {
    // A reset is an end too: the server's own that follows is no outage.
    this.#client.hasEnded = true;
    this.#giveUp();
  }

  /** The server has closed its half, or all. `isBroken`: it may still read what was sent to it. */
  #serverEnded(isBroken: boolean): void {
    if (this.#server.hasEnded) return;
    this.#server.hasEnded = true;
    this.#heard();
    const life = this.#life;
    if (life.is === "over") return;
    if (life.is !== "orphan" && !this.#client.hasEnded) this.#host.tell(this, "server-ended");
    const truncation = "talk" in life ? life.talk.truncation("server") : undefined;
    if (truncation !== undefined && life.is !== "orphan") {
      this.#reportEnd(truncation);
      // Behind a part of a frame nothing can follow.
      if ("talk" in life && life.talk.toClient.midFrame) this.#outlet.shut();
    }
    switch (life.is) {
      case "shaking":
      case "open":
      case "relayed":
        // The client may still have something to say.
        if (!isBroken && !this.#outlet.isShut) this.#client.end();
        else this.#closeBoth();
        return;
      case "registered":
        this.#become({ ...life, is: "draining" });
        life.registration.serverGone(isBroken);
        if (this.#outlet.isShut || !life.registration.isKept) this.#closeBoth();
        else this.#server.close();
        return;
      case "orphan":
        life.registration.serverGone(isBroken);
        this.#become({ is: "over" });
        return;
      case "draining":
    }
  }

  #serverClosed(): void {
    this.#serverEnded(true);
    // What waits for others' commits still goes out; the ledger says when that was all.
    if (this.#life.is !== "draining") this.#closeBoth();
  }

  #closeBoth(): void {
    this.#client.close();
    this.#giveUp();
  }

  /** Nothing is told to the client any more. Only a commit of its that is on the way is still followed. */
  #giveUp(): void {
    const life = this.#life;
    if (life.is === "orphan") return;
    this.#outlet.shut();
    if ("registration" in life) {
      life.talk.toServer.stop();
      life.registration.clientGone();
      // That may have been all, and told.
      if (this.#life !== life) return;
      if (life.is === "registered" && life.registration.isKept) {
        this.#become({ ...life, is: "orphan" });
        this.#review();
        return;
      }
    }
    this.#become({ is: "over" });
  }

  /** The only place where a session's life changes, and what that takes with it. */
  #become(life: Life): void {
    const before = this.#life;
    if (before.is === "over") return;
    this.#life = life;
    if ("registration" in before && !("registration" in life)) {
      const { storage, number } = before.registration;
      storage.leave(number);
      this.#host.storages.forgetUnused(storage);
    }
    if (life.is !== "over") return;
    this.#heard();
    this.#outlet.shut();
    if ("talk" in before) {
      before.talk.toServer.stop();
      before.talk.toClient.stop();
    }
    this.#server.close();
  }

  #closed(leg: Leg, work: () => void): void {
    leg.closed();
    this.#try(leg === this.#client ? "client" : "server", work);
    if (!this.#client.isClosed || !this.#server.isClosed) return;
    const { received: fromClient } = this.#client;
    const { received: fromServer } = this.#server;
    const durationMs = this.#host.clock.now() - this.#startedMs;
    const facts = { protocol: this.#protocol, storage: this.#storage, fromClient, fromServer, durationMs };
    this.#report({ what: "closed", life: { ...facts, ...this.#outlet.announced } });
    this.#host.tell(this, "closed");
  }

  // --- back-pressure ----------------------------------------------------------------------------------------------

  /** The server is not behind any more. */
  #readOn(): void {
    if (!this.#isQuiesced) this.#client.connection.carryOut("resume");
  }

  #review(): void {
    const life = this.#life;
    if (life.is === "over" || life.is === "draining") return;
    const isSlow = this.#outlet.isSlow;
    const registration = "registration" in life ? life.registration : undefined;
    const pause = !mayRead(registration, isSlow);
    if (!pause && registration !== undefined) {
      const end = tooSlow(registration, this.#outlet, this.#host.settings.limits.outboxBytes);
      if (end !== undefined) {
        this.end(end, "at-once");
        return;
      }
    }
    if (pause === this.#isServerPaused) return;
    this.#isServerPaused = pause;
    registration?.storage.paused(registration.number, pause);
    this.#server.connection.carryOut(pause ? "pause" : "resume");
  }

  // --- reports ----------------------------------------------------------------------------------------------------

  #report(happening: SessionHappening): void {
    this.#host.report({ ...happening, upstream: this.#host.settings.name, client: this.peer });
  }

  #reportEnd(end: SessionEnd): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#report({ what: "ended", storage: this.#storage, end });
  }
}
