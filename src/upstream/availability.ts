import type { Protocol } from "../wire/handshake.ts";
import { isLocalTrouble, isScarcity } from "./local-trouble.ts";

// Whether an upstream listens. A pure machine: events in, what is to be done out; the time comes in with the events.
//
//     server    unknown ──> up <──> doubted ──> down ──> up
//     trouble   none ──> there <──> over, not yet told ──> none        of this machine, not of the server
//     address   opening ──> open ──> closed ──> opening
//     room      the process has room for more clients, or has none
//
// What always holds:
// - The address is open, or being opened, as long as the server is not down, no trouble is there, and there is room.
// - Only what the server does to the proxy's own dials counts against it: a refused dial, one that it ends or leaves
//   silent though it has greeted others. What a client says or keeps silent about never does.
// - A dial that fails for want of something on this machine says nothing about the server.
// - A sign against a server that others are connected to, or the end of its last connection, is a doubt: the address stays
//   open, and a try of the proxy's own decides.
// - The way back in is measured as the way out: a try must be greeted where the server is known to greet.
// - Whatever is not as it should be is tried again by exactly one try, planned or on its way.
// - Each outage, trouble and blocked address is told of once, and once when it is over.

/**
 * What a try has found. `greets`: the server has spoken first, and if it has named a protocol that is known here, `family` is
 * of that one. `code`: the system's, `silent` or `ended`.
 */
export type Found =
  | { readonly isUp: true; readonly greets: boolean; readonly family?: Protocol["family"] | undefined }
  | { readonly isUp: false; readonly code: string };

/** What is to be done, in this order. */
export type Decision =
  | { readonly do: "listen" }
  | { readonly do: "give-up-address" }
  /** Find out after so long whether the server answers, instead of any other try; `greeting`: it must say something. */
  | { readonly do: "try"; readonly afterMs: number; readonly greeting: boolean }
  /** Dial for the clients that waited for the server. */
  | { readonly do: "admit" }
  /** `isAgain`: nothing else was told since the last time; it was only full, or in trouble that has lines of its own. */
  | { readonly do: "tell-listening"; readonly isAgain: boolean }
  | { readonly do: "tell-down"; readonly reason: string }
  | { readonly do: "tell-up"; readonly downMs: number }
  /** The address can't be had: somebody has it, or it is not there. */
  | { readonly do: "tell-blocked"; readonly reason: string }
  | { readonly do: "tell-trouble"; readonly reason: string }
  | { readonly do: "tell-trouble-over"; readonly lastedMs: number };

type Server =
  | { readonly is: "unknown" }
  | { readonly is: "up" }
  | { readonly is: "doubted"; readonly since: number }
  /** Since its first sign. */
  | { readonly is: "down"; readonly since: number };

interface Trouble {
  readonly since: number;
  /** A try has succeeded; its end is told when another one has, a while later. */
  readonly isOver: boolean;
}

interface Blocked {
  readonly since: number;
  readonly reason: string;
  /** Until the next try. */
  readonly isWaiting: boolean;
}

/** A server that others are connected to is doubted for so long before it counts as down. */
const DOUBT_MS = 3_000;
/** Trouble that comes back sooner is the same trouble. */
const QUIET_MS = 10_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 1_000;
/** A try comes after this part of the time that it has lasted: so no outage becomes much longer for the proxy. */
const RETRY_PART = 50;

const SILENT = "silent";

export class Availability {
  #server: Server = { is: "unknown" };
  #trouble: Trouble | undefined;
  #blocked: Blocked | undefined;
  /** The start asks for it. */
  #address: "opening" | "open" | "closed" = "opening";
  #hasRoom = true;
  /** The server has greeted a dial since anything showed that it may be another one. */
  #greets = false;
  #isListeningTold = false;
  #isStopped = false;

  get state(): "starting" | "listening" | "full" | "trouble" | "blocked" | "down" | "stopped" {
    if (this.#isStopped) return "stopped";
    if (this.#server.is === "down") return "down";
    if (this.#isTroubled) return "trouble";
    if (this.#blocked !== undefined) return "blocked";
    if (!this.#hasRoom) return "full";
    return this.#address === "open" && this.#server.is !== "unknown" ? "listening" : "starting";
  }

  /** Since when the server has been down; undefined: it is not. */
  get downSince(): number | undefined {
    return this.#server.is === "down" ? this.#server.since : undefined;
  }

  /** The server speaks first, as far as is known. */
  get greets(): boolean {
    return this.#greets;
  }

  // --- the server -------------------------------------------------------------------------------------------------

  /** A try has ended. `isAlive`: others are connected to the server. */
  tried(found: Found, isAlive: boolean, now: number): Decision[] {
    if (this.#isStopped) return [];
    if (found.isUp) return this.#answered(found.greets, now);
    if (isLocalTrouble(found.code)) return this.#hinder(found.code, true, now);
    return this.#failed(found.code, isAlive, true, now);
  }

  /** A client's dial has failed. */
  dialFailed(code: string, isAlive: boolean, now: number): Decision[] {
    if (this.#isStopped) return [];
    if (isLocalTrouble(code)) return this.#hinder(code, false, now);
    return this.#failed(code, isAlive, false, now);
  }

  /** The server has ended the last connection that anybody had to it. */
  lastEnded(now: number): Decision[] {
    const { is } = this.#server;
    if (this.#isStopped || this.#isTroubled || (is !== "up" && is !== "doubted")) return [];
    this.#greets = false;
    if (is === "up") this.#server = { is: "doubted", since: now };
    return [this.#try(0)];
  }

  /** It has accepted a client and said nothing. One that has never greeted waits for its client to speak. */
  silent(isAlive: boolean, now: number): Decision[] {
    return this.#greets && !this.#isStopped ? this.#failed(SILENT, isAlive, false, now) : [];
  }

  /** It has greeted a client that had said nothing. */
  greeted(): void {
    this.#greets = true;
  }

  #answered(greets: boolean, now: number): Decision[] {
    const { is } = this.#server;
    const told: Decision[] = [];
    if (this.#server.is === "down") told.push({ do: "tell-up", downMs: now - this.#server.since });
    this.#server = { is: "up" };
    this.#greets ||= greets;
    if (this.#blocked !== undefined) this.#blocked = { ...this.#blocked, isWaiting: false };
    const confirm: Decision[] = [];
    if (this.#isTroubled && this.#trouble !== undefined) {
      this.#trouble = { ...this.#trouble, isOver: true };
      confirm.push(this.#try(QUIET_MS));
    } else told.push(...this.#troubleOver(now));
    const turned = this.#turn();
    if (this.#address === "open") turned.push(...(is === "unknown" ? this.#listens() : [ADMIT]));
    else if (this.#address === "closed") turned.push(ADMIT);
    return [...told, ...turned, ...confirm];
  }

  /** A sign against it. `isTry`: the proxy's own try, which is followed by another one. */
  #failed(reason: string, isAlive: boolean, isTry: boolean, now: number): Decision[] {
    const server = this.#server;
    // Who is silent is still the same.
    if (reason !== SILENT) this.#greets = false;
    // It was refused by somebody: this machine has all that it takes.
    const told = isTry ? this.#troubleOver(now) : [];
    if (server.is === "down") return isTry ? [...told, this.#tryAgain(now - server.since)] : told;
    const since = server.is === "doubted" ? server.since : now;
    if (server.is !== "unknown" && isAlive && now - since < DOUBT_MS) {
      this.#server = { is: "doubted", since };
      const next = isTry || server.is === "up" ? [this.#tryAgain(now - since)] : [];
      return [...told, ...this.#turn(), ...next];
    }
    this.#server = { is: "down", since };
    this.#isListeningTold = false;
    return [...told, ...this.#turn(), { do: "tell-down", reason }, this.#tryAgain(now - since)];
  }

  // --- this machine -----------------------------------------------------------------------------------------------

  /** There is nothing left to make connections with: the system's code. */
  hindered(code: string, now: number): Decision[] {
    return this.#isStopped ? [] : this.#hinder(code, false, now);
  }

  /** The process has room for more clients, or has none any more. */
  room(hasRoom: boolean): Decision[] {
    this.#hasRoom = hasRoom;
    return this.#isStopped ? [] : this.#turn();
  }

  get #isTroubled(): boolean {
    return this.#trouble?.isOver === false;
  }

  #hinder(reason: string, isTry: boolean, now: number): Decision[] {
    // A try is planned.
    if (this.#isTroubled && !isTry) return [];
    const told: Decision[] = this.#trouble === undefined ? [{ do: "tell-trouble", reason }] : [];
    const since = this.#trouble?.since ?? now;
    this.#trouble = { since, isOver: false };
    // What was doubted can't be looked into; the doubt begins anew.
    if (this.#server.is === "doubted") this.#server = { is: "up" };
    return [...this.#turn(), ...told, this.#tryAgain(now - since)];
  }

  #troubleOver(now: number): Decision[] {
    const trouble = this.#trouble;
    this.#trouble = undefined;
    return trouble === undefined ? [] : [{ do: "tell-trouble-over", lastedMs: now - trouble.since }];
  }

  // --- the address ------------------------------------------------------------------------------------------------

  /** The address is taken. */
  opened(): Decision[] {
    if (this.#isStopped || this.#address !== "opening") return [];
    this.#address = "open";
    this.#blocked = undefined;
    // Whether anybody is behind it the first try says.
    return this.#server.is === "unknown" ? [] : this.#listens();
  }

  /** It can't be had: the system's code. */
  openFailed(code: string, now: number): Decision[] {
    if (this.#isStopped || this.#address !== "opening") return [];
    this.#address = "closed";
    if (isScarcity(code)) return this.#hinder(code, false, now);
    const told: Decision[] = this.#blocked?.reason === code ? [] : [{ do: "tell-blocked", reason: code }];
    const since = this.#blocked?.since ?? now;
    this.#blocked = { since, reason: code, isWaiting: true };
    this.#isListeningTold = false;
    // At the start the first try is still to come.
    return this.#server.is === "unknown" ? told : [...told, this.#tryAgain(now - since)];
  }

  stop(): Decision[] {
    this.#isStopped = true;
    return [{ do: "give-up-address" }];
  }

  #listens(): Decision[] {
    const isAgain = this.#isListeningTold;
    this.#isListeningTold = true;
    return [{ do: "tell-listening", isAgain }, ADMIT];
  }

  /** Opens or gives up the address, where it is not as it should be. */
  #turn(): Decision[] {
    const isWanted =
      this.#server.is !== "down" && !this.#isTroubled && this.#hasRoom && this.#blocked?.isWaiting !== true;
    if (isWanted === (this.#address !== "closed")) return [];
    this.#address = isWanted ? "opening" : "closed";
    return [{ do: isWanted ? "listen" : "give-up-address" }];
  }

  #tryAgain(lastedMs: number): Decision {
    return this.#try(Math.min(Math.max(lastedMs / RETRY_PART, FIRST_RETRY_MS), LAST_RETRY_MS));
  }

  #try(afterMs: number): Decision {
    return { do: "try", afterMs, greeting: this.#greets };
  }
}

const ADMIT: Decision = { do: "admit" };
