import type { Envelope } from "../wire/codec.ts";

/** A message towards a client, as it was read. */
export interface Inbound {
  /** With its length prefix. */
  readonly frame: Buffer;
  readonly envelope: Envelope;
  /** What the guard is to be told when it is written. */
  readonly role: "register" | "finish" | undefined;
  /** When it was read, in ms of the clock. */
  readonly since: number;
}
