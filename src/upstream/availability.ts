// Whether an upstream listens: only while its server answers and the process has room. A pure machine: events in, what is
// to be done out; the time comes in with the events.
//
//     starting ── the server answers ──> listening <──> full
//         └──────── it does not ──> down <──┘
//
// While the server is down it is tried again after 0.1 s, then ever slower, but never so slowly that the outage becomes
// much longer for it: clients add their own delays to it. What is no certain outage (the last connection was ended by the
// server) is told only when a first try has failed, too.

/** What is to be done, in this order. */
export type Decision =
  | { readonly do: "listen" }
  | { readonly do: "give-up-address" }
  /** Find out after so long whether the server answers; `greeting`: it must say something. */
  | { readonly do: "try"; readonly afterMs: number; readonly greeting: boolean }
  /** Dial for the clients that waited for the server. */
  | { readonly do: "admit" }
  | { readonly do: "tell-listening" }
  | { readonly do: "tell-down"; readonly reason: string }
  | { readonly do: "tell-up"; readonly downMs: number }
  /** The server answers, but somebody else has the address. */
  | { readonly do: "tell-blocked"; readonly reason: string };

type State =
  | { readonly is: "starting" }
  | { readonly is: "listening" }
  | { readonly is: "full" }
  /** `isTold`: the outage was told of. `opening`: the server answers again, and the address is being taken. */
  | {
      readonly is: "down";
      readonly reason: string;
      readonly since: number;
      readonly isTold: boolean;
      readonly opening: boolean;
    }
  | { readonly is: "stopped" };

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 1_000;
/** A try comes after this part of the time that the server has been down. */
const RETRY_PART = 50;
/** How often an address is tried that somebody else has. */
const BLOCKED_RETRY_MS = 5_000;

export class Availability {
  #state: State = { is: "starting" };
  /** The process has room for more clients. */
  #hasRoom = true;
  /** Here a silent connection is no outage: a server that waits for its client to speak has answered one. */
  #waitsForClients = false;

  get state(): State["is"] {
    return this.#state.is;
  }

  /** The address is taken; the first try says whether anybody is behind it. */
  begun(isUp: boolean, now: number): Decision[] {
    if (this.#state.is !== "starting") return [];
    return isUp ? this.#listens() : this.#down("no answer", true, now);
  }

  /** A client's dial has failed. */
  dialFailed(code: string, now: number): Decision[] {
    return this.#down(code, true, now);
  }

  /** The server has ended the last connection that anybody had to it. */
  lastEnded(now: number): Decision[] {
    return this.#down("all its connections have ended", false, now);
  }

  /** It has accepted a client and said nothing. */
  silent(now: number): Decision[] {
    return this.#waitsForClients ? [] : this.#down("silent", true, now);
  }

  /** It has answered a client that spoke first. */
  firstWordAnswered(): void {
    this.#waitsForClients = true;
  }

  /** A try has ended. */
  tried(isUp: boolean, now: number): Decision[] {
    const state = this.#state;
    if (state.is !== "down" || state.opening) return [];
    const { reason, since, isTold } = state;
    if (!isUp) {
      this.#state = { ...state, isTold: true };
      const told: Decision[] = isTold ? [] : [{ do: "tell-down", reason }];
      const afterMs = Math.min(Math.max(Math.round((now - since) / RETRY_PART), FIRST_RETRY_MS), LAST_RETRY_MS);
      return [...told, this.#try(afterMs, reason)];
    }
    this.#state = { ...state, opening: true };
    const told: Decision[] = isTold ? [{ do: "tell-up", downMs: now - since }] : [];
    return [...told, { do: "listen" }];
  }

  /** The address is taken. */
  opened(): Decision[] {
    const state = this.#state;
    if (state.is === "full" || (state.is === "down" && state.opening)) return this.#listens();
    return [];
  }

  /** Somebody else has the address: as good as down, until it is free. */
  openFailed(code: string, now: number): Decision[] {
    const state = this.#state;
    if (state.is !== "full" && !(state.is === "down" && state.opening)) return [];
    // The server is not known to be down: an outage that begins meanwhile is told of as one.
    const reason = "no answer";
    this.#state = { is: "down", reason, since: now, isTold: false, opening: false };
    return [{ do: "tell-blocked", reason: code }, this.#try(BLOCKED_RETRY_MS, reason)];
  }

  /** The process has room for more clients, or has none any more. */
  room(hasRoom: boolean): Decision[] {
    const had = this.#hasRoom;
    this.#hasRoom = hasRoom;
    if (this.#state.is === "listening" && !hasRoom) {
      this.#state = { is: "full" };
      return [{ do: "give-up-address" }];
    }
    return this.#state.is === "full" && hasRoom && !had ? [{ do: "listen" }] : [];
  }

  stop(): Decision[] {
    this.#state = { is: "stopped" };
    return [{ do: "give-up-address" }];
  }

  #listens(): Decision[] {
    this.#state = { is: "listening" };
    const told: Decision[] = [{ do: "tell-listening" }, { do: "admit" }];
    return this.#hasRoom ? told : [...told, ...this.room(false)];
  }

  #down(reason: string, isTold: boolean, now: number): Decision[] {
    if (this.#state.is === "down" || this.#state.is === "stopped") return [];
    this.#state = { is: "down", reason, since: now, isTold, opening: false };
    const told: Decision[] = isTold ? [{ do: "tell-down", reason }] : [];
    return [{ do: "give-up-address" }, ...told, this.#try(isTold ? FIRST_RETRY_MS : 0, reason)];
  }

  #try(afterMs: number, reason: string): Decision {
    return { do: "try", afterMs, greeting: reason === "silent" };
  }
}
