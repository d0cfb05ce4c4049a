import { tidBytes } from "../wire/ids.ts";
import { PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import { exceptionInstance } from "./exceptions.ts";
import { StorageFault } from "./faults.ts";
import type { Method } from "./method.ts";
import { whenLocked, type Voting } from "./voting.ts";

/**
 * A vote on an old server (ZEO 4.3.1, `_try_to_vote`): the stores are done, `serialnos` tells how each went, and the
 * reply is None. The first store that fails ends the work, but the lock stays held until the client aborts. Only an
 * exception of the storage's own vote is an exception reply, and frees the lock.
 */
export const voteOld: Method = (caller, args, answer) => {
  whenLocked(caller, args.value(0), answer, (voting) => {
    voting.transaction.locked = true;
    const serials = store(voting);
    caller.link.sendOneWay("one-way", "serialnos", [serials]);
    answer.reply(null);
  });
  return undefined;
};

/** The list for `serialnos`: an oid with its new serial, `rs` for an undone one, or the exception. */
function store({ caller, hosted, transaction, pending }: Voting): Value[] {
  const serials: Value[] = [];
  for (const operation of transaction.operations) {
    const outcome = transaction.perform(pending, operation, caller.behaviour.omitCreated);
    switch (outcome.type) {
      case "stored":
        serials.push(new PyTuple([outcome.oid, tidBytes(pending.tid)]));
        break;
      case "undone":
        // Bytes in every Python: it takes the place of a serial.
        for (const oid of outcome.oids) serials.push(new PyTuple([oid, Buffer.from("rs")]));
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
