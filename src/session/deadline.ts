import type { Clock } from "../clock.ts";
import type { Party } from "./connection.ts";
import { ENDED_MS } from "./handshake.ts";
import { LINGER_MS, type Leg } from "./leg.ts";
import type { Life } from "./lives.ts";
import { Taking } from "./taking.ts";

/** What time is measured by, and what comes of it when it is up. */
export interface DeadlineHost {
  readonly clock: Clock;
  readonly handshakeMs: number;
  /** What the session is now. */
  readonly life: Life["is"];
  serverGreets(): boolean;
  /** So many were read of the server. */
  readonly serverBytes: number;
  /** One end has closed its half, and of the other one nothing is heard. */
  deserted(): void;
  /** The server has accepted and said nothing. */
  serverSilent(): void;
  /** The client was to register, and has not. */
  notRegistered(): void;
}

/** How long a session waits for what must come next. */
export class Deadline {
  readonly #client: Leg;
  readonly #server: Leg;
  readonly #host: DeadlineHost;
  /** The server has said something. */
  #isHeard = false;
  /** Has the client, or the server, said something since the connection is relayed? When both have, it is in use. */
  #isClientUsing = false;
  #isServerUsing = false;
  #cancel: (() => void) | undefined;
  /** How often it was set: who has asked before is told in vain. */
  #times = 0;

  constructor(client: Leg, server: Leg, host: DeadlineHost) {
    this.#client = client;
    this.#server = server;
    this.#host = host;
    this.set();
  }

  /** The server is not silent. */
  heard(): void {
    this.#isHeard = true;
  }

  /** That end of a relayed connection has said something. */
  used(by: Party): void {
    if (this.isInUse) return;
    if (by === "client") this.#isClientUsing = true;
    else this.#isServerUsing = true;
    if (this.isInUse) this.set();
  }

  /** Relayed, and both ends have said something since: whoever has begun it goes on with it. */
  get isInUse(): boolean {
    return this.#isClientUsing && this.#isServerUsing;
  }

  /** Its client may be anybody: it has not registered, and is not in use. */
  get isNobody(): boolean {
    const life = this.#host.life;
    return life === "shaking" || life === "open" || (life === "relayed" && !this.isInUse);
  }

  /** Waits from now on for what must come next, as things are; or for nothing. */
  set(): void {
    this.#cancel?.();
    this.#times++;
    const life = this.#host.life;
    if (life === "over" || life === "orphan") return;
    if (this.#client.hasEnded && !this.isNobody) this.#watch();
    else if (this.#client.hasEnded) this.#expect(ENDED_MS);
    else if (this.isNobody || (life === "relayed" && this.#server.hasEnded)) this.#expect(this.#host.handshakeMs);
  }

  /** In so long somebody must have registered, or be in use; or this ends it. */
  #expect(ms: number): void {
    this.#cancel = this.#host.clock.after(ms, () => this.#late());
  }

  /** Its client has closed its half, and nearly always all: it is served as long as something still comes, or is taken. */
  #watch(): void {
    const takings = [new Taking(this.#client.connection), new Taking(this.#server.connection)];
    // So that the system knows what more is, the next time.
    for (const taking of takings) taking.ask(() => undefined);
    this.#whileAnythingMoves(takings);
  }

  #whileAnythingMoves(takings: readonly Taking[]): void {
    const times = this.#times;
    const before = this.#host.serverBytes;
    this.#cancel = this.#host.clock.after(LINGER_MS, () => {
      if (this.#host.serverBytes !== before) this.#whileAnythingMoves(takings);
      else this.#lookAt(takings, 0, times);
    });
  }

  /** Does any of them take something? */
  #lookAt(takings: readonly Taking[], at: number, times: number): void {
    const taking = takings[at];
    if (taking === undefined) {
      this.#host.deserted();
      return;
    }
    taking.ask((hasTaken) => {
      if (times !== this.#times) return;
      if (hasTaken) this.#whileAnythingMoves(takings);
      else this.#lookAt(takings, at + 1, times);
    });
  }

  #late(): void {
    // One end has closed its half, and the other one goes on as if nothing had happened.
    if (this.#client.hasEnded || this.#server.hasEnded) this.#host.deserted();
    else if (!this.#isHeard && this.#host.life === "shaking" && this.#host.serverGreets()) this.#host.serverSilent();
    else this.#host.notRegistered();
  }
}
