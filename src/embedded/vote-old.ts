import { tidBytes } from "../wire/ids.ts";
import { PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import type { ClientTransaction } from "./client-transaction.ts";
import { endTransaction, requireTransaction } from "./commit-methods.ts";
import { exceptionInstance } from "./exceptions.ts";
import { StorageFault } from "./faults.ts";
import type { HostedStorage } from "./hosted-storage.ts";
import type { Method } from "./method.ts";
import type { PendingTransaction } from "./pending-transaction.ts";
import type { Caller } from "./caller.ts";

/**
 * A vote on an old server (ZEO 4.3.1, `_try_to_vote`): the stores are done, `serialnos` tells how each went, and the
 * reply is None. The first store that fails ends the work, but the lock stays held until the client aborts. Only an
 * exception of the storage's own vote is an exception reply, and frees the lock.
 */
export const voteOld: Method = (caller, args, answer) => {
  const hosted = caller.registered;
  const transaction = requireTransaction(caller, args.value(0));
  if (transaction.locked || hosted.lock.isWaiting(caller)) {
    const state = transaction.locked ? "locked" : "waiting";
    throw new StorageFault({ kind: "transaction-state", reason: `Already voting (${state})` });
  }
  hosted.lock.acquire(caller, () => {
    try {
      transaction.pending = hosted.storage.begin(transaction.info, transaction.tid);
      transaction.locked = true;
      const serials = store(caller, hosted, transaction, transaction.pending);
      caller.link.sendOneWay("one-way", "serialnos", [serials]);
    } catch (error) {
      if (!(error instanceof StorageFault)) throw error;
      transaction.pending?.abort();
      endTransaction(caller);
      answer.fail(error.fault);
      return;
    }
    answer.reply(null);
  });
  return undefined;
};

/** The list for `serialnos`: an oid with its new serial, `rs` for an undone one, or the exception. */
function store(
  caller: Caller,
  hosted: HostedStorage,
  transaction: ClientTransaction,
  pending: PendingTransaction,
): Value[] {
  const serials: Value[] = [];
  for (const operation of transaction.operations) {
    const outcome = transaction.perform(pending, operation, caller.behaviour.omitCreated);
    switch (outcome.type) {
      case "stored":
        serials.push(new PyTuple([outcome.oid, tidBytes(pending.tid)]));
        break;
      case "undone":
        // Bytes in every Python: it takes the place of a serial.
        serials.push(...outcome.oids.map((oid) => new PyTuple([oid, Buffer.from("rs")])));
        break;
      case "failed":
        hosted.counters.conflicts += 1;
        serials.push(new PyTuple([outcome.oid, exceptionInstance(caller.style, outcome.fault)]));
        return serials;
      case "done":
        break;
      default:
        outcome satisfies never;
    }
  }
  const fault = caller.behaviour.voteFault(caller.connection);
  if (fault !== undefined) throw new StorageFault(fault);
  return serials;
}
