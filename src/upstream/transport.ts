import type { Address } from "../config/address.ts";
import type { HandshakeFault, HeaderFault } from "../happening/happening.ts";
import type { Connection } from "../session/connection.ts";
import type { Nobody } from "./nobodies.ts";

export type { HandshakeFault, HeaderFault } from "../happening/happening.ts";

/** What is told of a dial: one of the two, once, and not while `dial` runs. Neither after it was cancelled. */
export interface Dialled {
  /** It must be handed over before this returns. */
  connected(server: Connection): void;
  /** `code`: the system's, such as `ECONNREFUSED`. */
  failed(code: string): void;
}

/**
 * An IP address in one spelling (`plainAddress`); undefined: there is none, as of a Unix socket, or of a host that has reset its
 * connection before the system was asked.
 */
export type Host = string | undefined;

/** Where somebody comes from. `peer`: the same for people, with a port. */
export interface Origin {
  readonly host: Host;
  readonly peer: string;
}

/** Whom an address lets in. Asked about each who connects, before anything else is done for him. */
export interface Door {
  /**
   * A PROXY header must stand before all that whoever connects from that host says: who he is stands there. It is waited for
   * so long, in milliseconds; undefined: none is expected.
   */
  headerMs(host: Host): number | undefined;
  /** It has not come, and its connection is closed. */
  lacksHeader(origin: Origin, fault: HeaderFault): void;
  /** May he come in? Then he has a place. Else he is to be closed at once. */
  admits(origin: Origin): boolean;
  /** Who comes by TLS has a place from before his handshake: `oldest` is the one whose handshake takes longest. */
  handshakes(oldest: () => Nobody | undefined): void;
  /** The TLS handshake of somebody who was let in has failed: `leaves` is told behind it. */
  failsHandshake(origin: Origin, fault: HandshakeFault): void;
  /** Whoever was let in has left before he was accepted. */
  leaves(host: Host): void;
}

/** What is told of an address that is to be listened on; not while `listen` runs, and nothing after it was given up. */
export interface Listened {
  /** Without one everybody may come in. */
  readonly door?: Door;
  /** Listens now at this address: with the port that was chosen, where port 0 was asked for. */
  listening(address: Address): void;
  /** Can't: `code` is the system's, such as `EADDRINUSE`; `cause` its error. */
  failed(code: string, cause: unknown): void;
  /** The door has let it in. It must be handed over before this returns. */
  accepted(client: Connection): void;
  /** Clients could not be accepted: the system's code. It still listens. */
  hindered(code: string): void;
}

/** Connections to be had: by sockets in the proxy, of a simulated network in tests. */
export interface Transport {
  /** @returns what cancels it, where neither of `Dialled` has been told */
  dial(server: Address, dialled: Dialled): () => void;
  /** @returns what gives the address up; connections that were accepted stay */
  listen(address: Address, listened: Listened): () => void;
  /** Why this machine can't open so many descriptors more, if it can't: the system's code. */
  shortage(descriptors: number): string | undefined;
}
