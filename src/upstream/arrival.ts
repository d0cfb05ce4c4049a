import type { Clock } from "../clock.ts";
import type { Connection, ConnectionHandler } from "../session/connection.ts";
import { ENDED_MS, MAX_EARLY_BYTES } from "../session/handshake.ts";

/** A client that was accepted, and whose server is being dialled. */
export class Arrival implements ConnectionHandler {
  readonly client: Connection;
  readonly #clock: Clock;
  readonly #gone: (arrival: Arrival) => void;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #hasEnded = false;
  #cancelEnd: (() => void) | undefined;

  /** `gone`: it has closed, or has ended and is not waited for any more: at once without a word, as probes do. */
  constructor(client: Connection, clock: Clock, gone: (arrival: Arrival) => void) {
    this.client = client;
    this.#clock = clock;
    this.#gone = gone;
    client.handOver(this);
  }

  /** Its server is there: hands the connection over, with what was said so far. */
  handOver(session: ConnectionHandler): void {
    this.#cancelEnd?.();
    this.client.handOver(session);
    // First, since the session may pause it again.
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.client.carryOut("resume");
    for (const bytes of this.#early) session.read(bytes);
    this.#early = [];
    if (this.#hasEnded) session.ended();
  }

  /** There is no server for it. */
  refuse(): void {
    this.#cancelEnd?.();
    this.client.carryOut("destroy");
  }

  read(bytes: Buffer): void {
    this.#early.push(Buffer.from(bytes));
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.client.carryOut("pause");
  }

  ended(): void {
    this.#hasEnded = true;
    if (this.#earlyBytes === 0) this.#gone(this);
    else this.#cancelEnd = this.#clock.after(ENDED_MS, () => this.#gone(this));
  }

  drained(): void {
    // Nothing was written.
  }

  closed(): void {
    this.#gone(this);
  }
}
