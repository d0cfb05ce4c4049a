import { sessionEnd, type SessionEnd } from "../happening/ends.ts";
import type { Outlet } from "./outlet.ts";
import type { Registration } from "./registration.ts";

// Back-pressure: a server connection is left unread while its client is slow or much is held for it, but only where the
// ledger lets it (docs/ordering.md, *Pausing*). Where it must be read, what waits for the client is bounded instead.

/** Held messages beyond this are reason enough to leave the server connection unread where the rules allow it. */
const PAUSE_ABOVE_BYTES = 1024 * 1024;

/** Is the server's connection to be read? `registration` undefined: nobody has registered. */
export function mayRead(registration: Registration | undefined, isSlow: boolean): boolean {
  if (registration === undefined) return !isSlow;
  return !(isSlow || registration.heldBytes > PAUSE_ABOVE_BYTES) || !registration.mayPause;
}

/** Why the session is to be ended: more waits for its client than `limits.outbox`. */
export function tooSlow(registration: Registration, outlet: Outlet, outboxBytes: number): SessionEnd | undefined {
  const { heldBytes } = registration;
  if (outlet.isShut || (!outlet.isSlow && heldBytes === 0) || !outlet.exceeds(outboxBytes, heldBytes)) return undefined;
  const detail = `${Math.round(heldBytes + outlet.queuedBytes)} bytes wait for it`;
  return sessionEnd("client-too-slow", detail, { expected: `at most ${outboxBytes}` });
}
