import type { Clock } from "../clock.ts";

/** The ends of a dying server's connections come within that time, and behind it are told in any case. */
const GATHER_MS = 100;

/**
 * Ends of server connections that are not told yet, because those of others may follow. A server that dies ends all its
 * connections, one behind the other. A client that hears of it looks for the server at once; were it to find the proxy
 * still listening, it would be accepted and never greeted, and a ZEO 4 client waits ten seconds for a greeting, closed or
 * not (ZEO 4.3.1 `ServerStub.py`, `stub`). So the address is given up before the first of them is told.
 */
export class GatheredEnds<Session> {
  readonly #clock: Clock;
  readonly #held = new Map<Session, (() => void)[]>();
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(session: Session): boolean {
    return this.#held.has(session);
  }

  /** `tell` is called by `release`, behind what was held of that session before. */
  hold(session: Session, tell: () => void): void {
    const before = this.#held.get(session);
    if (before === undefined) this.#held.set(session, [tell]);
    else before.push(tell);
    this.#cancelTimer ??= this.#clock.after(GATHER_MS, () => this.release());
  }

  release(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const held = [...this.#held.values()].flat();
    this.#held.clear();
    for (const tell of held) tell();
  }
}
