import type { Value } from "../wire/value.ts";
import type { Answer, Caller } from "./caller.ts";
import type { ClientTransaction } from "./client-transaction.ts";
import { endTransaction, requireTransaction } from "./commit-methods.ts";
import { StorageFault } from "./faults.ts";
import type { HostedStorage } from "./hosted-storage.ts";

import type { PendingTransaction } from "./pending-transaction.ts";

/** What a vote works with. */
export interface Voting {
  readonly caller: Caller;
  readonly hosted: HostedStorage;
  readonly transaction: ClientTransaction;
  readonly pending: PendingTransaction;
}

/**
 * Votes once the storage's lock is had. What the storage refuses, `vote` throws: it is the exception that is replied, and
 * clears the transaction.
 */
export function whenLocked(caller: Caller, id: Value, answer: Answer, vote: (voting: Voting) => void): void {
  const hosted = caller.registered;
  const transaction = requireTransaction(caller, id);
  if (transaction.locked || hosted.lock.isWaiting(caller)) {
    const state = transaction.locked ? "locked" : "waiting";
    throw new StorageFault({ kind: "transaction-state", reason: `Already voting (${state})` });
  }
  hosted.lock.acquire(caller, () => {
    try {
      const pending = hosted.storage.begin(transaction.info, transaction.tid);
      transaction.pending = pending;
      vote({ caller, hosted, transaction, pending });
    } catch (error) {
      if (!(error instanceof StorageFault)) throw error;
      transaction.pending?.abort();
      endTransaction(caller);
      answer.fail(error.fault);
    }
  });
}
