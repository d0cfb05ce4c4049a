import type { Address } from "../config/address.ts";
import type { Connection } from "../session/connection.ts";

/** What is told of a dial: one of the two, once, and not while `dial` runs. Neither after it was cancelled. */
export interface Dialled {
  /** It must be handed over before this returns. */
  connected(server: Connection): void;
  /** `code`: the system's, such as `ECONNREFUSED`. */
  failed(code: string): void;
}

/** What is told of an address that is to be listened on; not while `listen` runs, and nothing after it was given up. */
export interface Listened {
  /** Listens now at this address: with the port that was chosen, where port 0 was asked for. */
  listening(address: Address): void;
  /** Can't: `code` is the system's, such as `EADDRINUSE`; `cause` its error. */
  failed(code: string, cause: unknown): void;
  /** It must be handed over before this returns. */
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
