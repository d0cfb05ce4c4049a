import type { Codec, Dialect } from "../wire/codec.ts";
import type { Protocol } from "../wire/handshake.ts";
import type { Calls } from "./calls.ts";
import type { Guard } from "./guard.ts";
import type { Storage } from "./storage.ts";

/**
 * What both directions of one session share once the handshake has told the protocol: a client, its server
 * connection, and the storage that it is registered with.
 */
export interface Link {
  readonly protocol: Protocol;
  readonly codec: Codec;
  readonly calls: Calls;
  readonly guard: Guard;
  /** How the server writes on this connection, as soon as it has written. */
  dialect: Dialect | undefined;
  /** From the time `register` is forwarded. */
  storage: Storage | undefined;
  /** The session's number in the storage's ledger. */
  number: number;
  /** Its client has been granted a vote, and has neither finished nor aborted. */
  voted: boolean;
}
