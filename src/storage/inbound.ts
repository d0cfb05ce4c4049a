import type { Envelope } from "../wire/codec.ts";
import type { Tid } from "../wire/ids.ts";

/** A message towards a client, as it was read. */
export interface Inbound {
  /** With its length prefix. */
  readonly frame: Buffer;
  readonly envelope: Envelope;
  /** An invalidation's, or what a `getInvalidations` has asked for; `NO_TID` for any other message. */
  readonly tid: Tid;
  /**
   * What is to be noted when it is written as it is. `none`: the server's own None to a `getInvalidations`; `joined`: the answer to
   * the question that a client has joined by, which goes nowhere.
   */
  readonly role: "register" | "finish" | "none" | "joined" | undefined;
  /** When it was read, in ms of the clock. */
  readonly since: number;
}
