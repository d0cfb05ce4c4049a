import { METHODS } from "../wire/methods.ts";

/** What servers say. */
export const FROM_SERVER = { reply: 0, invalidation: 1, other: 2 } as const;

/**
 * The messages of one upstream's sessions, as they were read. One number is added to with each of them, and nothing is made:
 * the arrays are the same for all sessions, so that they are in the processor's caches. Doubles count exactly up to 2^53.
 */
export class MessageCounts {
  /** By `Method.index`; the first are of methods that are not known, and replies. */
  readonly fromClients = new Float64Array(METHODS.length);
  /** By `FROM_SERVER`. */
  readonly fromServer = new Float64Array(3);
}
