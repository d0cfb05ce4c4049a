import type { Clock } from "../clock.ts";
import type { Report } from "../happening/happening.ts";
import type { Room } from "./room.ts";

/** While clients come and go at the limit, the process is full. */
const QUIET_MS = 10_000;

/** Tells when the process has no room for more clients, and when it has had some for a while: once each. */
export class Fullness {
  readonly #clock: Clock;
  readonly #report: Report;
  readonly #room: Room;
  /** Told of, and its end not. */
  #since: number | undefined;
  #cancelEnd: (() => void) | undefined;

  constructor(room: Room, clock: Clock, report: Report) {
    this.#room = room;
    this.#clock = clock;
    this.#report = report;
    room.watch((hasRoom) => (hasRoom ? this.#hasRoom() : this.#isFull()));
  }

  /** Tells nothing more. */
  stop(): void {
    this.#cancelEnd?.();
    this.#since = undefined;
  }

  #isFull(): void {
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    if (this.#since !== undefined) return;
    this.#since = this.#clock.now();
    this.#report({ what: "full", clients: this.#room.taken });
  }

  #hasRoom(): void {
    const since = this.#since;
    if (since === undefined || this.#cancelEnd !== undefined) return;
    const endedAt = this.#clock.now();
    this.#cancelEnd = this.#clock.after(QUIET_MS, () => {
      this.#cancelEnd = undefined;
      this.#since = undefined;
      this.#report({ what: "room", lastedMs: endedAt - since });
    });
  }
}
