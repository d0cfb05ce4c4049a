import { sessionEnd, type SessionEnd } from "../happening/ends.ts";
import type { Leg } from "./leg.ts";
import type { Outlet } from "./outlet.ts";
import type { Registration } from "./registration.ts";

// Back-pressure: a server connection is left unread while its client is slow or much is held for it, but only where the
// ledger lets it (docs/ordering.md, *Pausing*). Where it must be read, what waits for the client is bounded instead.

/** Held messages beyond this are reason enough to leave the server connection unread where the rules allow it. */
const PAUSE_ABOVE_BYTES = 1024 * 1024;

export class Flow {
  readonly #server: Leg;
  readonly #outlet: Outlet;
  /** `limits.outbox` */
  readonly #outboxBytes: number;
  #isPaused = false;

  constructor(server: Leg, outlet: Outlet, outboxBytes: number) {
    this.#server = server;
    this.#outlet = outlet;
    this.#outboxBytes = outboxBytes;
  }

  /**
   * Reads the server's connection or leaves it unread, as it is right now. `registration` undefined: nobody registered.
   * @returns why the session is to be ended: more waits for its client than it may
   */
  review(registration: Registration | undefined): SessionEnd | undefined {
    const { isSlow } = this.#outlet;
    // Nearly always: asked for each chunk that is read.
    if (!isSlow && !this.#isPaused && (registration === undefined || registration.heldBytes === 0)) return undefined;
    const isPaused = !mayRead(registration, isSlow);
    const end = isPaused || registration === undefined ? undefined : this.#tooSlow(registration);
    if (end !== undefined) return end;
    // Said again, since who registers while it is unread was not there when it was said first.
    if (isPaused) registration?.storage.setPaused(registration.number, true);
    if (isPaused === this.#isPaused) return undefined;
    this.#isPaused = isPaused;
    if (!isPaused) registration?.storage.setPaused(registration.number, false);
    if (isPaused) this.#server.pause();
    else this.#server.resume();
    return undefined;
  }

  #tooSlow({ heldBytes }: Registration): SessionEnd | undefined {
    const outlet = this.#outlet;
    if (outlet.isShut || (!outlet.isSlow && heldBytes === 0)) return undefined;
    if (!outlet.exceeds(this.#outboxBytes, heldBytes)) return undefined;
    const detail = `${Math.round(heldBytes + outlet.queuedBytes)} bytes wait for it`;
    return sessionEnd("client-too-slow", detail, { expected: `at most ${this.#outboxBytes}` });
  }
}

function mayRead(registration: Registration | undefined, isSlow: boolean): boolean {
  if (registration === undefined) return !isSlow;
  return !(isSlow || registration.heldBytes > PAUSE_ABOVE_BYTES) || !registration.mayPause;
}
