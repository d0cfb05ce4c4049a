import type { Clock } from "../clock.ts";
import { sessionEnd, type SessionEnd } from "../happening/ends.ts";
import type { Connection, ConnectionHandler } from "../session/connection.ts";
import { ENDED_MS, MAX_EARLY_BYTES } from "../session/handshake.ts";
import type { Memory, Share } from "../session/memory.ts";

/** What becomes of it before its server is there. */
export interface ArrivalHost {
  readonly clock: Clock;
  readonly memory: Memory;
  /** It has closed, or has ended and is not waited for any more: at once without a word, as probes do. */
  gone(arrival: Arrival): void;
  /** The proxy ends it; `gone` follows. */
  ended(arrival: Arrival, end: SessionEnd): void;
}

/**
 * A client that was accepted, and whose server is being dialled. It is read all the time, since nothing else shows that it
 * leaves; so what it says has a bound.
 */
export class Arrival implements ConnectionHandler {
  readonly client: Connection;
  readonly #host: ArrivalHost;
  readonly #share: Share;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #hasEnded = false;
  #cancelEnd: (() => void) | undefined;

  constructor(client: Connection, host: ArrivalHost) {
    this.client = client;
    this.#host = host;
    this.#share = host.memory.share(() => this.#letGo());
    client.handOver(this);
  }

  /** Its server is there: hands the connection over, with what was said so far. */
  handOver(session: ConnectionHandler): void {
    this.#leave();
    this.client.handOver(session);
    for (const bytes of this.#early) session.read(bytes);
    this.#early = [];
    if (this.#hasEnded) session.ended();
  }

  /** There is no server for it. */
  refuse(): void {
    this.#leave();
    this.client.carryOut("destroy");
  }

  read(bytes: Buffer): void {
    this.#early.push(Buffer.from(bytes));
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) {
      const expected = `at most ${MAX_EARLY_BYTES} bytes before its server is there`;
      this.#end(sessionEnd("message-too-long", `${this.#earlyBytes}`, { sender: "client", expected }));
    } else this.#share.set(this.#earlyBytes);
  }

  ended(): void {
    this.#hasEnded = true;
    if (this.#earlyBytes === 0) this.#host.gone(this);
    else this.#cancelEnd = this.#host.clock.after(ENDED_MS, () => this.#host.gone(this));
  }

  drained(): void {
    // Nothing was written.
  }

  closed(): void {
    this.#host.gone(this);
  }

  /** The process keeps too much, and most of it is this one's. */
  #letGo(): void {
    this.#end(sessionEnd("memory-exhausted", `${this.#share.bytes} bytes, more than any other's`));
  }

  #end(end: SessionEnd): void {
    this.#host.ended(this, end);
    this.#host.gone(this);
  }

  #leave(): void {
    this.#cancelEnd?.();
    this.#share.leave();
  }
}
