import type { Clock } from "../clock.ts";
import type { Room } from "./room.ts";

/** Who has a place, and has not said what for: a client that has not registered, or has not come through its TLS handshake. */
export interface Nobody {
  /** When he came, in ms of the clock. */
  readonly since: number;
  /** Ends him; his place is free when this returns. */
  giveUp(): void;
}

/** A client registers as soon as its server has greeted it. For so long nobody is given up, in ms. */
export const PATIENCE_MS = 1_000;

/**
 * Whoever opens connections and waits would keep all others out, for as long as he likes. So where the process has no room, the
 * one goes who has waited longest; only where all have registered, or have just come, nobody is accepted any more.
 */
export class Nobodies {
  readonly #room: Room;
  readonly #clock: Clock;
  readonly #offers = new Set<() => Nobody | undefined>();
  #cancel: (() => void) | undefined;
  #isLooking = false;
  #isStopped = false;

  /** Before anybody else watches that room, so that he hears of it only where nobody can go. */
  constructor(room: Room, clock: Clock) {
    this.#room = room;
    this.#clock = clock;
    room.watch((hasRoom) => (hasRoom ? this.#rest() : this.#look()));
  }

  /** `oldest`: of those of one upstream. @returns what takes that back */
  offer(oldest: () => Nobody | undefined): () => void {
    this.#offers.add(oldest);
    return () => void this.#offers.delete(oldest);
  }

  stop(): void {
    this.#isStopped = true;
    this.#rest();
  }

  /** One by one: each who goes is told of, and leads here again. */
  #look(): void {
    if (this.#isStopped || this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (!this.#room.hasRoom && this.#makesRoom());
    } finally {
      this.#isLooking = false;
    }
  }

  #makesRoom(): boolean {
    const oldest = oldestOf([...this.#offers].map((offer) => offer()));
    // Whose server is still being dialled for him can become one.
    const leftMs = oldest === undefined ? PATIENCE_MS : PATIENCE_MS - (this.#clock.now() - oldest.since);
    if (oldest === undefined || leftMs > 0) {
      this.#lookIn(leftMs);
      return false;
    }
    oldest.giveUp();
    return true;
  }

  #lookIn(ms: number): void {
    this.#cancel ??= this.#clock.after(ms, () => {
      this.#cancel = undefined;
      this.#look();
    });
  }

  #rest(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

/** The one who has come first. */
export function oldestOf(nobodies: readonly (Nobody | undefined)[]): Nobody | undefined {
  return nobodies.reduce((oldest, one) => {
    if (one === undefined) return oldest;
    return oldest === undefined || one.since < oldest.since ? one : oldest;
  }, undefined);
}
