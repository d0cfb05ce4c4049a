import type { Clock } from "../clock.ts";
import type { Standing } from "./standing.ts";

// A session that is to be repaired from now on instead of observed, or the other way round, turns where nothing of it is on its
// way. A client that always has something on its way is left unread for a moment, so that it has not; not inside a transaction.

/** So long, at most; some calls (`pack`) are answered late. */
const UNREAD_MS = 1_000;
/** And again behind so long. */
const AGAIN_MS = 10_000;

export interface TurningHost {
  readonly clock: Clock;
  /** Where it stands; undefined: something is on its way. */
  readonly standing: () => Standing | undefined;
  /** Would nothing be on its way soon, if nothing came from its client? */
  readonly mayWait: () => boolean;
  readonly leaveUnread: () => void;
  readonly readOn: () => void;
  /** It may turn now. */
  readonly turn: (standing: Standing) => void;
}

export class Turning {
  readonly #host: TurningHost;
  #cancel: (() => void) | undefined;
  #isUnread = false;

  constructor(host: TurningHost) {
    this.#host = host;
  }

  /** Something has been read: may it turn now? */
  look(): void {
    const standing = this.#host.standing();
    if (standing !== undefined) this.#host.turn(standing);
    else if (this.#cancel === undefined && this.#host.mayWait()) this.#wait();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#isUnread) this.#readOn();
  }

  #readOn(): void {
    this.#isUnread = false;
    this.#host.readOn();
  }

  #wait(): void {
    const { clock } = this.#host;
    this.#isUnread = true;
    this.#host.leaveUnread();
    this.#cancel = clock.after(UNREAD_MS, () => {
      this.#readOn();
      this.#cancel = clock.after(AGAIN_MS, () => {
        this.#cancel = undefined;
        this.look();
      });
    });
  }
}
