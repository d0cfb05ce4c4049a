import type { Clock } from "../clock.ts";
import type { Connection } from "./connection.ts";

/** How long an ended peer may take what was written to it before. */
const LINGER_MS = 5_000;

/** One of a session's two connections, and how far it is closed. */
export class Leg {
  readonly connection: Connection;
  readonly #clock: Clock;
  /** It was seen that the other end has closed its half, or all. */
  hasEnded = false;
  isClosed = false;
  /** So many bytes were read. */
  received = 0;
  #isEnding = false;
  #cancelLinger: (() => void) | undefined;

  constructor(connection: Connection, clock: Clock) {
    this.connection = connection;
    this.#clock = clock;
  }

  /** Reads nothing of it for now. What is closing is read to its end all the same. */
  pause(): void {
    if (this.#cancelLinger === undefined) this.connection.carryOut("pause");
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
    if (this.isClosed || this.#cancelLinger !== undefined) return;
    this.end();
    this.resume();
    this.#cancelLinger = this.#clock.after(LINGER_MS, () => this.connection.carryOut("destroy"));
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
