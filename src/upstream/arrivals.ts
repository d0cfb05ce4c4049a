import type { SessionEnd } from "../happening/ends.ts";
import type { Connection } from "../session/connection.ts";
import type { Memory } from "../session/memory.ts";
import { Arrival } from "./arrival.ts";
import { dial, type Dialling } from "./dialling.ts";
import type { Places } from "./places.ts";

/** What becomes of a client that has arrived: it is connected or has left, once. */
export interface ArrivalsHost {
  readonly memory: Memory;
  /** Both must be handed over before this returns. */
  connected(arrival: Arrival, server: Connection): void;
  /** It has gone, or there is no server for it. */
  left(client: Connection): void;
  /** The proxy has ended that client; that it has left is told behind it. */
  ended(client: Connection, end: SessionEnd): void;
}

/** The clients that have no server yet: it is being dialled for them, or they wait until it is back. */
export class Arrivals {
  readonly #places: Places;
  readonly #dialling: Dialling;
  readonly #host: ArrivalsHost;
  /** Each with what ends its dial, or its wait. */
  readonly #all = new Map<Arrival, () => void>();
  /** Those that wait. */
  readonly #waiting = new Set<Arrival>();
  #unserved = 0;

  constructor(places: Places, dialling: Dialling, host: ArrivalsHost) {
    this.#places = places;
    this.#dialling = dialling;
    this.#host = host;
  }

  /** So many were closed since there was no server for them. */
  get unserved(): number {
    return this.#unserved;
  }

  get size(): number {
    return this.#all.size;
  }

  /** A client was accepted. It is to be dialled for, or to wait, at once. */
  accept(client: Connection): Arrival {
    return new Arrival(client, {
      clock: this.#dialling.clock,
      memory: this.#host.memory,
      gone: (arrival) => this.#letGo(arrival),
      ended: (arrival, end) => this.#host.ended(arrival.client, end),
    });
  }

  /**
   * Until the server is back. To be closed would not make it look elsewhere, or try again, any sooner: a ZEO 4 client that
   * has connected waits ten seconds for a greeting, closed or not (ZEO 4.3.1 `ServerStub.py`, `stub`).
   */
  wait(arrival: Arrival, ms = this.#dialling.timeoutMs): void {
    this.#all.set(
      arrival,
      this.#dialling.clock.after(ms, () => this.#refuse(arrival)),
    );
    this.#waiting.add(arrival);
  }

  /** `failed`: it is to be told what now. */
  dialFor(arrival: Arrival, failed: (code: string) => void): void {
    this.#all.get(arrival)?.();
    const connected = (server: Connection): void => {
      this.#all.delete(arrival);
      this.#host.connected(arrival, server);
    };
    this.#all.set(arrival, dial(this.#places.present, this.#dialling, { connected, failed }));
  }

  /** The server is at another place: those that it is being dialled for wait for it. */
  moved(): void {
    for (const [arrival, cancel] of this.#all) {
      if (this.#waiting.has(arrival)) continue;
      cancel();
      this.wait(arrival);
    }
  }

  /** The server is back: those that wait are dialled for, once more. */
  admit(): void {
    for (const arrival of this.#waiting) this.dialFor(arrival, () => this.#refuse(arrival));
    this.#waiting.clear();
  }

  /** There is no server for any of them. */
  refuseAll(): void {
    for (const arrival of [...this.#all.keys()]) this.#refuse(arrival);
  }

  #refuse(arrival: Arrival): void {
    if (this.#letGo(arrival)) this.#unserved++;
  }

  /** @returns whether it was here */
  #letGo(arrival: Arrival): boolean {
    const cancel = this.#all.get(arrival);
    if (cancel === undefined) return false;
    cancel();
    this.#all.delete(arrival);
    this.#waiting.delete(arrival);
    arrival.refuse();
    this.#host.left(arrival.client);
    return true;
  }
}
