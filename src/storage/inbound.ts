import type { Envelope } from "../wire/codec.ts";
import type { Tid } from "../wire/ids.ts";

/** A message towards a client, as it was read. */
export interface Inbound {
  /** With its length prefix. */
  readonly frame: Buffer;
  readonly envelope: Envelope;
  /** An invalidation's; `NO_TID` for any other message. */
  readonly tid: Tid;
  /** What the guard is to be told when it is written. */
  readonly role: "register" | "finish" | undefined;
  /** When it was read, in ms of the clock. */
  readonly since: number;
}
