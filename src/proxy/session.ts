import type { Socket } from "node:net";
import { ProtocolError } from "../wire/errors.ts";
import { Conversation, type ConversationHost, type Side } from "./conversation.ts";
import { Handshake, type HandshakeStep, type RawReason } from "./handshake.ts";
import { Outlet } from "./outlet.ts";
import type { SessionEnd } from "./session-end.ts";
import type { Storage } from "./storage.ts";

/** What a session needs of its upstream. */
export interface SessionHost {
  readonly name: string;
  readonly limits: SessionLimits;
  readonly refuseUnknown: boolean;
  /** A number that no session of this process has had. */
  nextNumber(): number;
  storage(name: string, family: "old" | "new"): Storage;
  forgetUnused(storage: Storage): void;
  /** The connection is relayed byte for byte from now on, unrepaired. */
  relayed(session: Session, reason: RawReason): void;
  /** An invalidation was written that the proxy has changed or made. */
  announced(repair: "completed" | "synthesized"): void;
  asked(): void;
  /** The proxy itself has ended the session. */
  ended(session: Session, end: SessionEnd): void;
  /** The server has accepted and said nothing. */
  serverSilent(session: Session): void;
  /** The server has answered a client that spoke first. */
  answeredFirstWord(): void;
  /** The server has ended the connection before anyone else did. */
  serverEnded(session: Session): void;
  /** Both sockets are closed. */
  closed(session: Session): void;
}

export interface SessionLimits {
  readonly frameBytes: number;
  readonly decodeBytes: number;
  readonly outboxBytes: number;
  readonly handshakeMs: number;
}

/** How long an ended peer may take what was written to it before. */
const LINGER_MS = 5_000;
/** Held messages beyond this are reason enough to leave the server connection unread where the rules allow it. */
const PAUSE_ABOVE_BYTES = 1024 * 1024;

/** One client and its server connection: two sockets, the handshake, and how they end. */
export class Session {
  readonly client: Socket;
  readonly server: Socket;
  /** `address:port` of the client. */
  readonly peer: string;
  readonly startedMs = Date.now();
  readonly #host: SessionHost;
  /** Sockets that are closing: they have some time left for what was written to them. */
  readonly #closing = new Set<Socket>();
  readonly #outlet: Outlet;
  readonly #handshake = new Handshake();
  #raw: RawReason | undefined;
  #conversation: Conversation | undefined;
  /** The client has closed its half: passed on when no commit of its is on the way. */
  #clientEnded = false;
  #serverEnded = false;
  /** The proxy has ended it: nothing more is read from the client, or written to it. */
  #ended = false;
  #quiesced = false;
  /** Why the proxy ended it was told. */
  #isReported = false;
  #open = 2;
  #serverPaused = false;
  #silence: NodeJS.Timeout | undefined;

  constructor(client: Socket, server: Socket, host: SessionHost) {
    this.client = client;
    this.server = server;
    this.peer = `${client.remoteAddress ?? "?"}:${client.remotePort ?? 0}`;
    this.#host = host;
    this.#outlet = new Outlet(client);
    this.#silence = setTimeout(() => host.serverSilent(this), host.limits.handshakeMs);
    client.on("data", (chunk: Buffer) => this.#read("client", chunk));
    server.on("data", (chunk: Buffer) => this.#read("server", chunk));
    client.on("drain", () => this.#try("client", () => this.#reviewReading()));
    server.on("drain", () => {
      if (!this.#quiesced) client.resume();
    });
    client.on("end", () => this.#try("client", () => this.#clientEnd()));
    server.on("end", () => this.#try("server", () => this.#serverEnd(false)));
    client.on("error", () => client.destroy());
    server.on("error", () => this.#try("server", () => this.#serverEnd(true)));
    client.on("close", () => {
      this.#try("client", () => this.#clientClosed());
      this.#socketClosed();
    });
    server.on("close", () => {
      this.#try("server", () => this.#serverClosed());
      this.#socketClosed();
    });
  }

  /** The protocol in force, once the handshake has told it. */
  get protocol(): string | undefined {
    return this.#conversation?.protocol;
  }

  get storage(): string | undefined {
    return this.#conversation?.storage;
  }

  get bytes(): { readonly fromClient: number; readonly fromServer: number } {
    return { fromClient: this.client.bytesRead, fromServer: this.server.bytesRead };
  }

  /** What was written to its client that the proxy has changed or made. */
  readonly announced = { completed: 0, synthesized: 0 };

  get isServerOpen(): boolean {
    return !this.#serverEnded;
  }

  /** A server that ends it may be down. (It always ends a monitor's, and those that it does not understand.) */
  get tellsOutage(): boolean {
    return this.#raw === undefined ? this.storage !== undefined : this.#raw === "tls" || this.#raw === "mac";
  }

  /** Has its client been granted a vote that it has neither finished nor aborted? */
  get hasVoted(): boolean {
    return this.#conversation?.hasVoted ?? false;
  }

  /** Nothing of a commit of its is on the way, and all that was read for its client is written. */
  get isSettled(): boolean {
    if (!this.client.destroyed && !this.#ended && this.client.writableLength > 0) return false;
    return !this.#conversation?.isFinishing && (this.#conversation?.heldBytes ?? 0) === 0;
  }

  /** Reads no more requests of its client: a stop lets what is on the way settle, and begins nothing new. */
  quiesce(): void {
    this.#quiesced = true;
    this.client.pause();
  }

  // --- reading ----------------------------------------------------------------------------------------------------

  #read(side: Side, chunk: Buffer): void {
    this.#try(side, () => {
      if (side === "client") this.#fromClient(chunk);
      else this.#fromServer(chunk);
    });
  }

  /** Whatever goes wrong ends this session, never another one or the process. */
  #try(side: Side, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error, side);
    }
  }

  #failed(error: unknown, side: Side): void {
    try {
      this.#end(this.#endBy(error, side), true);
    } catch {
      this.destroy();
    }
  }

  #endBy(error: unknown, side: Side): SessionEnd {
    if (!(error instanceof ProtocolError)) {
      return { code: "internal-error", fault: "proxy", detail: "an unexpected error", cause: error };
    }
    const { code, expected, got } = error;
    const offset = (this.#conversation?.payloadOffset(side) ?? 0) + error.offset;
    return { code, fault: side, detail: got, offset, expected };
  }

  #fromClient(chunk: Buffer): void {
    if (this.#ended) return;
    if (this.#raw !== undefined) this.#writeServer(chunk);
    else if (this.#conversation === undefined) this.#shake(this.#handshake.client(chunk));
    // Nobody is left to read it: a commit that is begun now would never end.
    else if (!this.#serverEnded || this.storage === undefined) this.#conversation.fromClient(chunk);
    if (this.server.writableNeedDrain) this.client.pause();
  }

  #fromServer(chunk: Buffer): void {
    this.#heard();
    if (this.#raw === "tls") this.#host.answeredFirstWord();
    if (this.#raw !== undefined) this.#writeClient(chunk);
    else if (this.#conversation === undefined) this.#shake(this.#handshake.server(chunk));
    else this.#conversation.fromServer(chunk);
    this.#reviewReading();
  }

  /** The server is not silent. */
  #heard(): void {
    if (this.#silence !== undefined) clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  #shake(step: HandshakeStep): void {
    if (step.raw !== undefined && this.#refuses(step.raw)) return;
    if (step.toServer !== undefined) this.#writeServer(step.toServer);
    if (step.toClient !== undefined) this.#writeClient(step.toClient);
    if (step.raw !== undefined) this.#turnRaw(step.raw);
    if (step.protocol === undefined) return;
    this.#conversation = new Conversation(step.protocol, step, this.#outlet, this.#conversationHost());
    if (step.clientRest !== undefined) this.#fromClient(step.clientRest);
    if (step.serverRest !== undefined) this.#fromServer(step.serverRest);
  }

  #conversationHost(): ConversationHost {
    const host = this.#host;
    return {
      upstream: host.name,
      limits: host.limits,
      nextNumber: () => host.nextNumber(),
      storage: (name, family) => host.storage(name, family),
      forgetUnused: (storage) => host.forgetUnused(storage),
      writeServer: (bytes) => this.#writeServer(bytes),
      writeClient: (bytes) => this.#writeClient(bytes),
      isEnded: () => this.#ended,
      end: (end, atOnce) => this.#end(end, atOnce),
      failed: (error) => this.#failed(error, "server"),
      mac: () => this.#turnRaw("mac"),
      unregistered: () => {
        this.#serverPaused = false;
        this.server.resume();
      },
      announced: (repair) => {
        this.announced[repair]++;
        host.announced(repair);
      },
      asked: () => host.asked(),
      finished: () => this.#passClientEnd(),
      closeClient: () => this.#close(this.client),
      closeServer: () => this.#close(this.server),
      flowChanged: () => this.#reviewReading(),
    };
  }

  /** From now on bytes are relayed as they are, unless the configuration refuses that. */
  #turnRaw(reason: RawReason): void {
    if (this.#raw !== undefined || this.#refuses(reason)) return;
    this.#heard();
    this.#raw = reason;
    this.#conversation?.turnRaw();
    this.#host.relayed(this, reason);
  }

  #refuses(reason: RawReason): boolean {
    if (!this.#host.refuseUnknown || reason === "ruok") return false;
    this.#end({ code: "unknown-protocol", fault: "client", detail: reason }, true);
    return true;
  }

  // --- writing ----------------------------------------------------------------------------------------------------

  #writeServer(bytes: Buffer): void {
    if (this.server.writable) this.server.write(bytes);
  }

  #writeClient(bytes: Buffer): void {
    if (!this.#ended) this.#outlet.write(bytes);
  }

  /** Reads the server's connection, or leaves it unread, as docs/ordering.md (Pausing) has it; ends a client that is too slow. */
  #reviewReading(): void {
    const conversation = this.#conversation;
    const slow = this.#outlet.isSlow && !this.#ended;
    let pause = slow;
    if (conversation?.storage !== undefined) {
      const held = conversation.heldBytes;
      pause = (slow || held > PAUSE_ABOVE_BYTES) && conversation.mayPause;
      if (!pause && !this.#ended && (slow || held > 0)) this.#checkOutbox(held);
    }
    if (pause === this.#serverPaused) return;
    this.#serverPaused = pause;
    conversation?.paused(pause);
    if (pause) this.server.pause();
    else this.server.resume();
  }

  #checkOutbox(heldBytes: number): void {
    const { outboxBytes } = this.#host.limits;
    if (!this.#outlet.exceeds(outboxBytes, heldBytes)) return;
    const detail = `${Math.round(heldBytes + this.#outlet.queuedBytes)} bytes wait for it`;
    this.#end({ code: "client-too-slow", fault: "client", detail, expected: `at most ${outboxBytes}` }, true);
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** Ends the session from outside: a stop of the proxy. */
  stop(): void {
    this.#ended = true;
    this.#forget();
    this.#close(this.client);
    this.#close(this.server);
  }

  /** Closes both sockets at once, whatever waits. */
  destroy(): void {
    this.client.destroy();
    this.server.destroy();
  }

  /** `atOnce`: not even what was written before is waited for. */
  #end(end: SessionEnd, atOnce: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#report(end);
    this.#conversation?.stop("client");
    const orphan = this.#forget();
    if (atOnce) this.client.destroy();
    else this.#close(this.client);
    if (!orphan) {
      this.#conversation?.stop("server");
      this.#close(this.server);
    }
  }

  #report(end: SessionEnd): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#host.ended(this, end);
  }

  /** The ledger owes this client nothing any more. Returns whether a commit of its is still on the way. */
  #forget(): boolean {
    this.#heard();
    return this.#conversation?.forget() ?? false;
  }

  /** Lets what was written go out, for a while. */
  #close(socket: Socket): void {
    if (socket.destroyed || this.#closing.has(socket)) return;
    this.#closing.add(socket);
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  }

  #clientEnd(): void {
    const truncation = this.#raw === undefined ? this.#conversation?.truncation("client") : undefined;
    if (truncation !== undefined && !this.#ended) {
      this.#end(truncation.end, true);
      return;
    }
    this.#clientEnded = true;
    this.#passClientEnd();
  }

  /** A half-close goes on to the server, behind the replies to commits that are on their way. */
  #passClientEnd(): void {
    if (!this.#clientEnded || this.server.destroyed) return;
    if (!this.#conversation?.isFinishing) this.server.end();
  }

  #serverEnd(mayStillRead: boolean): void {
    if (this.#serverEnded) return;
    this.#serverEnded = true;
    this.#heard();
    if (!this.#clientEnded && !this.#ended) this.#host.serverEnded(this);
    const conversation = this.#conversation;
    const truncation = this.#raw === undefined ? conversation?.truncation("server") : undefined;
    if (truncation !== undefined && !this.#ended) {
      this.#report(truncation.end);
      // Behind a part of a frame nothing can follow.
      if (truncation.isPassedInPart) this.#ended = true;
    }
    if (conversation?.storage === undefined) {
      if (mayStillRead || this.#ended) this.#close(this.client);
      else this.client.end();
      return;
    }
    conversation.serverGone(mayStillRead);
    if (this.#ended) {
      this.#forget();
      this.#close(this.client);
    } else conversation.leaveUnlessKept();
    this.#close(this.server);
  }

  #clientClosed(): void {
    // A reset is an end too: the server's own that follows is no outage.
    this.#clientEnded = true;
    const orphan = this.#forget();
    if (!orphan) this.#close(this.server);
    else if (this.#serverPaused) this.server.resume();
  }

  #serverClosed(): void {
    this.#serverEnd(true);
    // What waits for others' commits still goes out; the ledger says when that was all.
    if (this.#ended || !this.#conversation?.isKept) this.#close(this.client);
  }

  #socketClosed(): void {
    this.#open--;
    if (this.#open === 0) this.#host.closed(this);
  }
}
