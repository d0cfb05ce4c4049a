import type { Clock } from "../clock.ts";
import type { Connection } from "./connection.ts";

/** An ended peer that takes nothing for so long of what was written to it before is given up. */
export const LINGER_MS = 5_000;

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
  /** `Connection.progress` when it was looked at last. */
  #progress = 0;
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
    this.#linger();
  }

  /** As long as it takes anything of what was written. */
  #linger(): void {
    this.#progress = this.connection.progress;
    this.#cancelLinger = this.#clock.after(LINGER_MS, () => {
      if (this.connection.progress === this.#progress) this.connection.carryOut("destroy");
      else this.#linger();
    });
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
