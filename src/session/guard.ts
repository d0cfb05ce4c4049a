import type { GuardCode } from "../happening/ends.ts";
import { NO_TID, type Tid } from "../wire/ids.ts";

/** So many of a client's newest own tids are remembered. */
const OWN_KEPT = 64;

/**
 * The last look before a client's socket, against our own bugs: it knows only what was written to this client, and
 * refuses an invalidation that must not follow it. The ledger has dealt with all that servers do before.
 */
export class Guard {
  readonly #oldClient: boolean;
  #registered = false;
  #last: Tid = NO_TID;
  #own: Tid[] = [];
  #newestOwn: Tid = NO_TID;
  #finishing = 0;

  /** `oldClient`: an invalidation between its `tpc_finish` and the reply would stop it for good. */
  constructor(oldClient: boolean) {
    this.#oldClient = oldClient;
  }

  registerReplyWritten(): void {
    this.#registered = true;
  }

  finishForwarded(): void {
    this.#finishing++;
  }

  /** The reply was read, and the client's own commit has this tid. */
  committed(tid: Tid): void {
    this.#own.push(tid);
    if (tid > this.#newestOwn) this.#newestOwn = tid;
    if (this.#own.length > OWN_KEPT) this.#own.shift();
  }

  finishReplyWritten(): void {
    this.#finishing--;
  }

  /** To be called with the tid of every invalidation just before it is written; undefined: it may be. */
  refuses(tid: Tid): GuardCode | undefined {
    const code = this.#refusesNow();
    if (code !== undefined) return code;
    if (tid <= this.#last) return "guard-not-growing";
    if (tid <= this.#newestOwn && this.#own.includes(tid)) return "guard-own-commit";
    this.#last = tid;
    return undefined;
  }

  /** The same for one that tells more of what its client knows already: under the tid where that one stands. */
  refusesAgain(tid: Tid): GuardCode | undefined {
    return this.#refusesNow() ?? (tid < this.#last ? "guard-not-growing" : undefined);
  }

  #refusesNow(): GuardCode | undefined {
    if (!this.#registered) return "guard-before-register";
    return this.#oldClient && this.#finishing > 0 ? "guard-inside-finish" : undefined;
  }
}
