import type { Codec, Envelope } from "./codec.ts";
import type { RemoteException } from "./exceptions.ts";
import { NO_TID } from "./ids.ts";
import type { Tid } from "./ids.ts";
import { messageIdOf } from "./message-id.ts";
import { exceptionReply, valueOf } from "./replies.ts";
import { conflictsIn } from "./tids.ts";
import { itemsOf, textOf } from "./value.ts";

/** What a reply to `vote` says. */
export type VoteOutcome =
  /** The client has the storage's commit lock now. */
  | { readonly kind: "granted" }
  /**
   * It has not. `cleared`: the server has forgotten the transaction with all its stores. `shown`: the committed serial
   * that a conflict names, else `NO_TID`.
   */
  | { readonly kind: "failed"; readonly cleared: boolean; readonly shown: Tid }
  /** Nobody knows: it can't be read, or not with so much work as any real reply takes. */
  | { readonly kind: "unclear" };

const GRANTED: VoteOutcome = { kind: "granted" };
const UNCLEAR: VoteOutcome = { kind: "unclear" };

/**
 * - An old server (ZEO 4.3.1, `_try_to_vote`) replies None when it holds the lock, after a failed store too.
 * - A new one (ZEO 5.2.1, 6.2, `_vote`) replies a list of oids, or of conflict dictionaries: then it gave the lock back
 *   and keeps the transaction, for the client resolves the conflicts, stores again and votes again.
 * - An exception gave the lock back and cleared the transaction, but for three: `Already voting (locked)` and
 *   `Already voting (waiting)`, and the refusal of another transaction's id (`_check_tid`), all three of the class
 *   `StorageTransactionError`, change nothing.
 *
 * Raises nothing.
 */
export function voteOutcome(codec: Codec, payload: Buffer, envelope: Envelope, oldServer: boolean): VoteOutcome {
  if (codec.isException(payload, envelope)) {
    const reply = exceptionReply(codec, payload, envelope);
    // What changed nothing would keep its stores: so only what is known to be no such exception has cleared them.
    if (reply === undefined) return UNCLEAR;
    const cleared = reply.exception === undefined || !changesNothing(reply.exception);
    return { kind: "failed", cleared, shown: reply.serial };
  }
  // An undo's reply can name a million oids: not decoded.
  if (codec.isPlainList(payload, envelope)) return GRANTED;
  const value = valueOf(codec, payload, envelope);
  if (value === undefined) return UNCLEAR;
  if (oldServer || itemsOf(value)?.some((item) => item instanceof Map) !== true) return GRANTED;
  return { kind: "failed", cleared: false, shown: conflictsIn(value) ?? NO_TID };
}

function changesNothing({ name, args }: RemoteException): boolean {
  if (!name.endsWith("StorageTransactionError")) return false;
  if (args.some((arg) => textOf(arg)?.includes("Already voting") === true)) return true;
  // The id of the transaction that the server has, or None, and the one asked for.
  return args.length === 2 && args.every((arg) => messageIdOf(arg) !== undefined);
}
