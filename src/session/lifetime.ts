import type { Clock } from "../clock.ts";
import { endBy, sessionEnd, type SessionEnd } from "../happening/ends.ts";
import type { Storage } from "../storage/storage.ts";
import type { Party } from "./connection.ts";
import { Deadline, type DeadlineHost } from "./deadline.ts";
import { Handshake } from "./handshake.ts";
import type { SessionNews } from "./host.ts";
import type { Leg } from "./leg.ts";
import type { Life } from "./lives.ts";
import type { Outlet } from "./outlet.ts";
import type { How } from "./turns.ts";

// The table of lives in docs/architecture.md, as code: what each end of the two connections leads to, whatever a session
// is at that time.

/** What the end of a session needs of it. */
export interface LifetimeHost {
  readonly clock: Clock;
  readonly handshakeMs: number;
  serverGreets(): boolean;
  /** So many were read of that one. */
  bytesOf(party: Party): number;
  /** The session's life is another one now. */
  became(life: Life): void;
  tell(news: SessionNews): void;
  /** The proxy itself has ended it; told once. */
  ended(end: SessionEnd): void;
  /** The session has left that storage. */
  left(storage: Storage): void;
}

export class Lifetime implements DeadlineHost {
  readonly client: Leg;
  readonly server: Leg;
  readonly #outlet: Outlet;
  readonly #host: LifetimeHost;
  #life: Life = { is: "shaking", handshake: new Handshake() };
  /** Why the proxy ended it was told. */
  #isTold = false;
  readonly #deadline: Deadline;

  constructor(client: Leg, server: Leg, outlet: Outlet, host: LifetimeHost) {
    this.client = client;
    this.server = server;
    this.#outlet = outlet;
    this.#host = host;
    this.#deadline = new Deadline(client, server, this);
  }

  // --- for its deadline -------------------------------------------------------------------------------------------

  get clock(): Clock {
    return this.#host.clock;
  }

  get handshakeMs(): number {
    return this.#host.handshakeMs;
  }

  get life(): Life["is"] {
    return this.#life.is;
  }

  get serverBytes(): number {
    return this.#host.bytesOf("server");
  }

  serverGreets(): boolean {
    return this.#host.serverGreets();
  }

  serverSilent(): void {
    this.deserted();
    this.#host.tell("server-silent");
  }

  notRegistered(): void {
    this.end(sessionEnd("not-registered", this.#life.is, { expected: "register" }), "at-once");
    this.server.destroy();
  }

  // --- what it is -------------------------------------------------------------------------------------------------

  get now(): Life {
    return this.#life;
  }

  /** The server is not silent. */
  heard(): void {
    this.#deadline.heard();
  }

  /** That end of a relayed connection has said something. */
  used(by: Party): void {
    this.#deadline.used(by);
  }

  /** Its client may be anybody: it has not registered, and is not in use. */
  get isNobody(): boolean {
    return this.#deadline.isNobody;
  }

  /** Relayed, and both ends have said something since. */
  get isInUse(): boolean {
    return this.#deadline.isInUse;
  }

  /** Nobody is there any more: both are closed at once, but for the server's of an orphan. */
  deserted(): void {
    this.giveUp();
    this.client.destroy();
    if (this.#life.is !== "orphan") this.server.destroy();
  }

  /** The only place where a session's life changes, and what that takes with it. */
  become(life: Life): void {
    const before = this.#life;
    if (before.is === "over") return;
    this.#life = life;
    this.#host.became(life);
    if ("registration" in before && !("registration" in life)) {
      const { registration } = before;
      const { storage } = registration;
      registration.left();
      // Nobody will read the reply to a commit that is still on its way: others must not wait for it.
      if (registration.isFinishing) registration.serverGone(true);
      this.#host.left(storage);
    }
    // Who is observed no more is waited for anew; nor is anybody who is in use when his messages turn out to mean nothing to us.
    const isTurned = life.is === "relayed" ? this.isInUse : before.is === "relayed" && life.is === "open";
    if ("registration" in before || "registration" in life || life.is === "over" || isTurned) this.#deadline.set();
    if (life.is !== "over") return;
    this.#outlet.shut();
    if ("talk" in before) {
      before.talk.clientFrames.stop();
      before.talk.serverFrames.stop();
    }
    this.server.close();
  }

  // --- what the proxy decides -------------------------------------------------------------------------------------

  end(end: SessionEnd, how: How): void {
    if (this.#life.is === "over") return;
    this.tell(end);
    this.giveUp();
    if (how === "at-once") this.client.destroy();
    else this.client.close();
  }

  /** The same, and what it would still be told, or its server, is given up as well. Only who becomes an orphan has a server. */
  letGo(end: SessionEnd): void {
    const isOrphan = (): boolean => this.#life.is === "orphan";
    const wasOrphan = isOrphan();
    this.tell(end);
    this.giveUp();
    this.client.destroy();
    if (wasOrphan || !isOrphan()) this.server.destroy();
  }

  /** The ledger has done with that end: with the client's when all has gone out, with the server's of an orphan. */
  done(party: Party): void {
    if (party === "client") this.client.close();
    this.become({ is: "over" });
  }

  /**
   * Nothing is told to the client any more; whoever gives it up closes its connection. Only a commit of its that is on
   * the way is still followed.
   */
  giveUp(): void {
    const life = this.#life;
    if (life.is === "orphan") return;
    this.#outlet.shut();
    if ("registration" in life) {
      life.talk.clientFrames.stop();
      life.registration.clientGone();
      // That may have been all, and told.
      if (this.#life !== life) return;
      // Its server's connection is read: it has been since the `tpc_finish` was forwarded.
      if (life.is === "registered" && life.registration.isKept) {
        this.become({ ...life, is: "orphan" });
        return;
      }
    }
    this.become({ is: "over" });
  }

  // --- what goes wrong --------------------------------------------------------------------------------------------

  /** An error while that end's bytes, or its end, were worked on. Never thrown on: it ends this session, no other one. */
  failed(error: unknown, sender: Party): void {
    try {
      const life = this.#life;
      const offset = "talk" in life ? life.talk.from(sender).payloadOffset : undefined;
      this.tell(endBy(error, sender, offset));
      // The server can't be followed any more: the reply to a commit that is on its way will never be known.
      if (sender === "server" && "registration" in life && life.registration.isFinishing) {
        life.talk.serverFrames.stop();
        life.registration.serverGone(true);
      }
      this.giveUp();
      this.client.destroy();
    } catch {
      this.client.destroy();
      this.server.destroy();
    }
  }

  /** Why the proxy has ended it: the first reason counts. */
  tell(end: SessionEnd): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#host.ended(end);
  }

  // --- the client's end -------------------------------------------------------------------------------------------

  /** It has closed its half. */
  clientEnded(): void {
    this.client.hasEnded = true;
    const life = this.#life;
    if (life.is !== "draining" && life.is !== "orphan" && life.is !== "over") {
      const truncation = "talk" in life ? life.talk.truncation("client") : undefined;
      if (truncation !== undefined) this.end(truncation, "at-once");
      // A probe: it has said nothing at all.
      else if (life.is === "shaking" && this.#host.bytesOf("client") === 0) this.deserted();
      else this.passClientEnd();
    }
    this.#deadline.set();
  }

  /** A half-close goes on to the server, behind what the client has said, and the replies to its commits on their way. */
  passClientEnd(): void {
    const life = this.#life;
    if (!this.client.hasEnded || ("registration" in life && life.registration.isFinishing)) return;
    if (life.is === "shaking" && life.handshake.keepsClient) return;
    this.server.end();
  }

  clientClosed(): void {
    if (this.#deadline.isNobody) this.deserted();
    else this.giveUp();
  }

  // --- the server's end -------------------------------------------------------------------------------------------

  /** It has closed its half, or all. `mayStillRead`: it did not say so, and may read what was sent to it. */
  serverEnded(mayStillRead: boolean): void {
    if (this.server.hasEnded) return;
    this.server.hasEnded = true;
    const life = this.#life;
    if (life.is === "over" || life.is === "draining") return;
    if (life.is !== "orphan") {
      if (!this.client.hasEnded) this.#host.tell("server-ended");
      this.#lookAtTruncation(life);
    }
    switch (life.is) {
      case "shaking":
      case "open":
      case "relayed":
        // The client may still have something to say.
        if (mayStillRead || this.#outlet.isShut) this.#closeBoth();
        else {
          this.client.end();
          if (this.isInUse) this.#deadline.set();
        }
        return;
      case "registered":
        this.become({ ...life, is: "draining" });
        life.registration.serverGone(mayStillRead);
        if (this.#outlet.isShut || !life.registration.isKept) this.#closeBoth();
        else this.server.close();
        return;
      case "orphan":
        life.registration.serverGone(mayStillRead);
        this.become({ is: "over" });
    }
  }

  #lookAtTruncation(life: Life): void {
    const truncation = "talk" in life ? life.talk.truncation("server") : undefined;
    if (truncation === undefined) return;
    this.tell(truncation);
    // Behind a part of a frame nothing can follow.
    if ("talk" in life && life.talk.serverFrames.midFrame) this.#outlet.shut();
  }

  serverClosed(): void {
    this.serverEnded(true);
    // What waits for others' commits still goes out; the ledger says when that was all.
    if (this.#life.is !== "draining") this.#closeBoth();
  }

  /** Both are closed: whatever it was, it is over. */
  bothClosed(): void {
    this.become({ is: "over" });
  }

  #closeBoth(): void {
    this.client.close();
    this.giveUp();
  }
}
