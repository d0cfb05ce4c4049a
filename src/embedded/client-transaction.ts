import { NO_TID, tidBytes } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import type { MessageId } from "../wire/codec.ts";
import { StorageFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import type { TransactionInfo } from "./transaction-record.ts";
import type { PendingTransaction } from "./pending-transaction.ts";

/** What a client asked for between its `tpc_begin` and its vote; done at the vote, under the commit lock. */
export type Operation =
  | { readonly type: "store"; readonly oid: Buffer; readonly serial: Tid | null; readonly data: Buffer }
  | { readonly type: "restore"; readonly oid: Buffer; readonly data: Buffer | null }
  | { readonly type: "delete"; readonly oid: Buffer; readonly serial: Tid | null }
  | { readonly type: "check"; readonly oid: Buffer; readonly serial: Tid | null }
  | { readonly type: "undo"; readonly tid: Tid | undefined }
  /** Something that this server refuses, said when it votes. */
  | { readonly type: "refused"; readonly oid: Buffer; readonly fault: Fault };

/** How an operation went. */
export type Outcome =
  | { readonly type: "stored"; readonly oid: Buffer }
  | { readonly type: "undone"; readonly oids: readonly Buffer[] }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly oid: Buffer; readonly fault: Fault; readonly data: Buffer | null };

/** A connection's open transaction. */
export class ClientTransaction {
  readonly id: MessageId;
  readonly info: TransactionInfo;
  /** Given by the client when it copies history. */
  readonly tid: Tid | undefined;
  readonly operations: Operation[] = [];
  /** What the others are to be told of; an oid may stand there twice. */
  readonly invalidated: Buffer[] = [];
  pending: PendingTransaction | undefined;
  /** The vote has been granted and the lock is held. */
  locked = false;

  constructor(id: MessageId, info: TransactionInfo, tid: Tid | undefined) {
    this.id = id;
    this.info = info;
    this.tid = tid;
  }

  /** Does one operation in the pending transaction; `omitCreated` as in `ServerBehaviour`. */
  perform(pending: PendingTransaction, operation: Operation, omitCreated: boolean): Outcome {
    try {
      switch (operation.type) {
        case "store":
          pending.store(operation.oid, operation.serial, operation.data);
          if (!omitCreated || operation.serial !== NO_TID) this.invalidated.push(operation.oid);
          return { type: "stored", oid: operation.oid };
        case "restore":
          pending.restore(operation.oid, operation.data);
          return { type: "done" };
        case "delete":
          pending.delete(operation.oid, operation.serial);
          return { type: "done" };
        case "check":
          pending.check(operation.oid, operation.serial);
          return { type: "done" };
        case "undo": {
          if (operation.tid === undefined) throw new StorageFault({ kind: "undo", reason: "Invalid transaction id" });
          const oids = pending.undo(operation.tid);
          for (const oid of oids) this.invalidated.push(oid);
          return { type: "undone", oids };
        }
        case "refused":
          throw new StorageFault(operation.fault);
        default:
          return operation satisfies never;
      }
    } catch (error) {
      if (!(error instanceof StorageFault)) throw error;
      return {
        type: "failed",
        oid: operation.type === "undo" ? tidBytes(NO_TID) : operation.oid,
        fault: error.fault,
        data: operation.type === "store" ? operation.data : null,
      };
    }
  }
}
