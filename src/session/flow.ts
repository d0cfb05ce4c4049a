import type { Leg } from "./leg.ts";
import type { Outlet } from "./outlet.ts";
import type { Registration } from "./registration.ts";

// Back-pressure: a server connection is left unread while its client is slow, or much is held for it, but only where
// nobody else waits for what it may bring (docs/ordering.md, *Pausing*).

/** Held messages beyond this are reason enough to leave the server connection unread where the rules allow it. */
export const PAUSE_ABOVE_BYTES = 1024 * 1024;

export class Flow {
  readonly #server: Leg;
  readonly #outlet: Outlet;
  #isPaused = false;

  get isPaused(): boolean {
    return this.#isPaused;
  }

  constructor(server: Leg, outlet: Outlet) {
    this.#server = server;
    this.#outlet = outlet;
  }

  /**
   * Reads the server's connection or leaves it unread, as it is right now. `registration` undefined: nobody registered;
   * `waits`: a message of the server's waits for others' commits, and nothing behind it is looked at.
   */
  review(registration: Registration | undefined, waits: boolean): void {
    const { isSlow } = this.#outlet;
    const isPaused = waits || !mayRead(registration, isSlow);
    // Said again, since who registers while it is unread was not there when it was said first; and why may be another one.
    if (isPaused) registration?.storage.setPaused(registration.number, waits || !isSlow ? "commits" : "its-client");
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (!isPaused) registration?.storage.setPaused(registration.number, undefined);
    if (isPaused) this.#server.pause();
    else this.#server.resume();
  }
}

function mayRead(registration: Registration | undefined, isSlow: boolean): boolean {
  if (registration === undefined) return !isSlow;
  if (!isSlow && registration.heldBytes <= PAUSE_ABOVE_BYTES) return true;
  return !registration.mayPause(isSlow);
}
