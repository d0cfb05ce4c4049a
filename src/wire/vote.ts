import type { Codec, Envelope } from "./codec.ts";
import type { RemoteException } from "./exceptions.ts";
import { exceptionIn } from "./exceptions.ts";
import { NO_TID } from "./ids.ts";
import type { Tid } from "./ids.ts";
import { messageIdOf } from "./message-id.ts";
import { methodNamed } from "./methods.ts";
import { isPlainListMsgpack } from "./msgpack/scan.ts";
import { isPlainListPickle } from "./pickle/scan.ts";
import { conflictSerial } from "./tids.ts";
import { itemsOf, textOf } from "./value.ts";

const VOTE = methodNamed("vote");
/** What a reply to `vote` says. */
export interface VoteOutcome {
  /** The client has the storage's commit lock now. */
  readonly granted: boolean;
  /** The server has forgotten the transaction with all its stores. */
  readonly cleared: boolean;
  /** The committed serial that a conflict names, else `NO_TID`. */
  readonly shown: Tid;
}

const GRANTED: VoteOutcome = { granted: true, cleared: false, shown: NO_TID };

/**
 * - An old server (ZEO 4.3.1, `_try_to_vote`) replies None when it holds the lock, after a failed store too.
 * - A new one (ZEO 5.2.1, 6.2, `_vote`) replies a list of oids, or of conflict dictionaries: then it gave the lock back
 *   and keeps the transaction, for the client resolves the conflicts, stores again and votes again.
 * - An exception gave the lock back and cleared the transaction, but for three: `Already voting (locked)` and
 *   `Already voting (waiting)`, and the refusal of another transaction's id (`_check_tid`), all three of the class
 *   `StorageTransactionError`, change nothing.
 *
 * Raises `ProtocolError` for what can't be decoded.
 */
export function voteOutcome(codec: Codec, payload: Buffer, envelope: Envelope, oldServer: boolean): VoteOutcome {
  const isPlainList = codec.encoding === "pickle" ? isPlainListPickle : isPlainListMsgpack;
  // An undo's reply can name a million oids: not decoded.
  if (envelope.flags !== 2 && isPlainList(payload, envelope.argsAt)) return GRANTED;

  const value = codec.args(payload, envelope);
  const exception = exceptionIn(value, envelope);
  if (exception !== undefined) {
    return { granted: false, cleared: !changesNothing(exception), shown: conflictSerial(value) };
  }
  if (oldServer || itemsOf(value)?.some((item) => item instanceof Map) !== true) return GRANTED;
  const { tid: shown } = codec.shown(payload, envelope, VOTE);
  return { granted: false, cleared: false, shown };
}

function changesNothing({ name, args }: RemoteException): boolean {
  if (!name.endsWith("StorageTransactionError")) return false;
  if (args.some((arg) => textOf(arg)?.includes("Already voting") === true)) return true;
  // The id of the transaction that the server has, or None, and the one asked for.
  return args.length === 2 && args.every((arg) => messageIdOf(arg) !== undefined);
}
