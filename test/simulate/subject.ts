import type { Address } from "../../src/config/address.ts";
import type { Transport } from "../../src/upstream/transport.ts";
import type { SimClock } from "./clock.ts";
import type { Mix } from "./mix.ts";
import type { Visits } from "./visits.ts";

/** A subject that repairs waits so long for a client to register. */
export const HANDSHAKE_MS = 5_000;

/** Where a subject listens, and which server is behind it. */
export interface Route {
  readonly name: string;
  readonly listen: Address;
  readonly server: Address;
}

/** All that a subject gets of its world. */
export interface Surroundings {
  readonly clock: SimClock;
  readonly transport: Transport;
  /** For connections of its own client. */
  readonly witnessTransport: Transport;
  readonly routes: readonly Route[];
  /** It reads what does not pass through it, or has given that up: told by the number of the server. */
  readonly watched: (server: number, isWatched: boolean) => void;
  /** May somebody be sent away for what it could not read in time? */
  readonly mayEndUnread: (server: number) => boolean;
  /** So often that server, a new one, has answered a `tpc_finish` of this subject's clients with an exception. */
  readonly failedFinishes: (server: number) => number;
  /** So many clients may be connected. */
  readonly room: number;
  /** `history`, `outbox` and others are limits for it; 0 stands for plenty. */
  readonly mix: Mix;
  readonly visits: Visits;
}

/**
 * What stands between the clients and the servers, and is looked at: the product, or a plain relay.
 *
 * A world makes one with a `SubjectMaker` and calls `start`. It needs nothing but the clock and the transport that it is
 * given. A world can kill one at any moment: then its clock is dead, its connections are closed without a word to it, and
 * another one is made and started. At rest the world calls `check`, first while the clients are connected, then when all
 * have left and have been forgotten; at the end `stop`, and after it `check` once more.
 */
export interface Subject {
  /** Does it complete invalidations? Else only what the servers themselves keep is asked of it. */
  readonly repairs: boolean;
  /** May it complete some all the same, which is not asked of it? */
  readonly mayRepair?: boolean;
  start(): void;
  stop(): void;
  /** Ends in order, as a process that was asked to: what is on its way may settle for so long. Then calls `done`. */
  quit(drainMs: number, done: () => void): void;
  /**
   * What is left that should not be: a session, a call, bytes. `clients`: how many are connected; 0 also means that no
   * timer may be running (the world looks at the clock and the connections itself). Undefined: nothing.
   */
  check(clients: number): string | undefined;
}

export type SubjectMaker = (surroundings: Surroundings) => Subject;
