import type { Clock } from "../clock.ts";
import type { Connection } from "./connection.ts";
import { LINGER_MS } from "./leg.ts";
import { Taking } from "./taking.ts";

/**
 * A client that is left unread while its server is behind. Where that hangs, nothing is heard of a client that leaves: the
 * system is asked.
 */
export class Unread {
  readonly #client: Connection;
  readonly #taking: Taking;
  readonly #clock: Clock;
  readonly #left: () => void;
  #isWatched = false;
  /** Its server had taken nothing when it was looked at last. */
  #isHung = false;
  #cancel: (() => void) | undefined;

  /** `left`: the client has left, and its server takes nothing. */
  constructor(client: Connection, server: Connection, clock: Clock, left: () => void) {
    this.#client = client;
    this.#taking = new Taking(server);
    this.#clock = clock;
    this.#left = left;
  }

  /** The client is read no more: it is looked at until `stop`. */
  watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#isHung = false;
    this.#taking.begin();
    this.#wait();
  }

  /** It is read again, or closed. */
  stop(): void {
    this.#isWatched = false;
    this.#cancel?.();
  }

  #wait(): void {
    this.#cancel = this.#clock.after(LINGER_MS, () => this.#look());
  }

  #look(): void {
    this.#taking.ask((hasTaken) => {
      if (!this.#isWatched) return;
      const wasHung = this.#isHung;
      this.#isHung = !hasTaken;
      // What is taken makes room for what the client has said: its end will be read. Of that little the system tells more the
      // second time.
      if (wasHung && !hasTaken) this.#client.ask((seen) => this.#looked(seen?.hasLeft === true));
      else this.#wait();
    });
  }

  #looked(hasLeft: boolean): void {
    if (!this.#isWatched) return;
    if (!hasLeft) {
      this.#wait();
      return;
    }
    this.stop();
    this.#left();
  }
}
