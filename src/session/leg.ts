import type { Clock } from "../clock.ts";
import type { Connection } from "./connection.ts";
import { Taking } from "./taking.ts";

/** An ended peer that takes nothing for so long is given up, where nobody waits for what it would take. */
export const LINGER_MS = 5_000;

/** How a connection that is closed is treated while something still waits for its other end. */
export interface Patience {
  /** It may take nothing of that for so long, as it is when that is looked at. */
  readonly limits: { readonly stalledMs: number };
  /** It has, and is destroyed now. */
  lost(): void;
}

/** One of a session's two connections, and how far it is closed. */
export class Leg {
  readonly connection: Connection;
  readonly #clock: Clock;
  readonly #patience: Patience | undefined;
  /** It was seen that the other end has closed its half, or all. */
  hasEnded = false;
  isClosed = false;
  #isEnding = false;
  /** It closes. */
  #isClosing = false;
  #cancelLinger: (() => void) | undefined;

  constructor(connection: Connection, clock: Clock, patience?: Patience) {
    this.connection = connection;
    this.#clock = clock;
    this.#patience = patience;
  }

  /** Reads nothing of it for now. What is closing is read to its end all the same. */
  pause(): void {
    if (!this.#isClosing) this.connection.carryOut("pause");
  }

  /** Reads it on. */
  resume(): void {
    this.connection.carryOut("resume");
  }

  /** Closes our half behind what was written. */
  end(): void {
    if (this.isClosed || this.#isEnding) return;
    this.#isEnding = true;
    this.connection.carryOut("end");
  }

  /** Closes all of it, and lets what was written go out, for a while. What still comes is read and forgotten. */
  close(): void {
    if (this.isClosed || this.#isClosing) return;
    this.#isClosing = true;
    this.end();
    this.resume();
    this.#linger(new Taking(this.connection));
  }

  /** As long as it takes anything of what was written. */
  #linger(taking: Taking, idleMs = 0): void {
    this.#cancelLinger = this.#clock.after(LINGER_MS, () =>
      taking.ask((hasTaken) => this.#looked(taking, hasTaken ? 0 : idleMs + LINGER_MS)),
    );
  }

  /** `idleMs`: it has taken nothing for so long. */
  #looked(taking: Taking, idleMs: number): void {
    if (this.isClosed) return;
    // What the system has it sends on its own, whatever becomes of the connection here.
    const isWaitedFor = this.#patience !== undefined && this.connection.queuedBytes > 0;
    if (idleMs < (isWaitedFor ? this.#patience.limits.stalledMs : LINGER_MS)) {
      this.#linger(taking, idleMs);
      return;
    }
    if (isWaitedFor) this.#patience.lost();
    this.connection.carryOut("destroy");
  }

  destroy(): void {
    if (!this.isClosed) this.connection.carryOut("destroy");
  }

  /** It is closed now. */
  closed(): void {
    this.isClosed = true;
    this.#cancelLinger?.();
  }
}
