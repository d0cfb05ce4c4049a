import { PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import { StorageFault } from "./faults.ts";
import type { Method } from "./method.ts";
import { whenLocked, type Voting } from "./voting.ts";
import { nativeDict } from "./style.ts";

/**
 * A vote on a new server (ZEO 5.2.1, `_vote`): the reply is the list of oids that the storage changed by itself (undone
 * ones). A failure is an exception reply that clears the transaction; with `clientConflictResolution` conflicts are a
 * list of dictionaries, the lock is free again, and the client stores anew and votes again.
 */
export const voteNew: Method = (caller, args, answer) => {
  whenLocked(caller, args.value(0), answer, (voting) => {
    const { hosted, transaction, pending } = voting;
    const { serials, conflicts } = store(voting);
    if (conflicts.length > 0) {
      pending.abort();
      transaction.pending = undefined;
      answer.reply(conflicts);
      hosted.lock.release(caller);
      return;
    }
    transaction.locked = true;
    answer.reply(serials);
  });
  return undefined;
};

interface VoteResult {
  readonly serials: Value[];
  readonly conflicts: Value[];
}

function store({ caller, hosted, transaction, pending }: Voting): VoteResult {
  const serials: Value[] = [];
  const conflicts = new Map<string, Value>();
  for (const operation of transaction.operations) {
    const outcome = transaction.perform(pending, operation, caller.behaviour.omitCreated);
    switch (outcome.type) {
      case "stored":
        // Stored again after a conflict: the first, conflicting store is still in the list.
        conflicts.delete(outcome.oid.toString("hex"));
        break;
      case "undone":
        for (const oid of outcome.oids) serials.push(oid);
        break;
      case "failed": {
        const { fault, oid, data } = outcome;
        if (fault.kind === "conflict") hosted.counters.conflicts += 1;
        if (fault.kind !== "conflict" || data === null || !caller.behaviour.clientConflictResolution) {
          throw new StorageFault(fault);
        }
        const found = { oid, serials: new PyTuple([fault.current, fault.old]), data };
        conflicts.set(oid.toString("hex"), nativeDict(caller.style, found));
        break;
      }
      case "done":
        break;
      default:
        outcome satisfies never;
    }
  }
  const fault = caller.behaviour.voteFault(caller.connection);
  if (fault !== undefined) throw new StorageFault(fault);
  return { serials, conflicts: [...conflicts.values()] };
}
