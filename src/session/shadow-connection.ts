import type { Clock } from "../clock.ts";
import type { Connection, ConnectionCommand, ConnectionHandler, Seen } from "./connection.ts";

/** What a shadow takes for a connection: it hears all that is read, and nothing that it writes or commands goes anywhere. */
export class ShadowConnection implements Connection {
  readonly peer: string;
  readonly queuedBytes = 0;
  readonly progress = 0;
  readonly isBehind = false;
  readonly #clock: Clock;
  #handler: ConnectionHandler | undefined;
  #isClosed = false;

  constructor(peer: string, clock: Clock) {
    this.peer = peer;
    this.#clock = clock;
  }

  write(): boolean {
    return true;
  }

  carryOut(command: ConnectionCommand): void {
    if (command === "destroy") this.#clock.after(0, () => this.closed());
  }

  ask(told: (seen: Seen | undefined) => void): void {
    told(undefined);
  }

  handOver(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  // --- what the real one tells ------------------------------------------------------------------------------------

  read(bytes: Buffer): void {
    if (!this.#isClosed) this.#handler?.read(bytes);
  }

  ended(): void {
    if (!this.#isClosed) this.#handler?.ended();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handler?.closed();
  }
}
