import { asTid, readTid, tidBytes, NO_TID } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import { messageIdOf } from "../wire/message-id.ts";
import type { MessageId } from "../wire/codec.ts";
import type { Value } from "../wire/value.ts";
import type { Arguments } from "./arguments.ts";
import { ClientTransaction } from "./client-transaction.ts";
import type { Operation } from "./client-transaction.ts";
import { StorageFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import type { HostedStorage } from "./hosted-storage.ts";
import type { Methods } from "./method.ts";
import type { Caller } from "./caller.ts";
import { hasVersions } from "./style.ts";

const NO_BLOBS: Fault = { kind: "unsupported", reason: "this server keeps no blobs" };

/** A transaction from `tpc_begin` to its end, except the vote, which `vote-old.ts` and `vote-new.ts` have. */
export const commitMethods: Methods = {
  tpc_begin: (caller, args) => {
    if (caller.readOnly) throw new StorageFault({ kind: "read-only" });
    const hosted = caller.registered;
    const id = transactionId(args.value(0));
    if (caller.transaction !== undefined) {
      if (caller.transaction.id === id) return null;
      const reason = "Multiple simultaneous tpc_begin requests from one client.";
      throw new StorageFault({ kind: "transaction-state", reason });
    }
    const info = {
      user: args.raw(1),
      description: args.raw(2),
      extension: args.value(3) ?? new Map(),
      status: args.count > 5 ? args.text(5) : " ",
    };
    caller.transaction = new ClientTransaction(id, info, args.tidOrNone(4) ?? undefined);
    hosted.counters.activeTransactions += 1;
    return null;
  },

  /** oid, serial, data, id; Z308 has a version before the id. */
  storea: (caller, args) =>
    add(caller, args, { type: "store", oid: args.oid(0), serial: args.tidOrNone(1), data: args.bytes(2) }),

  restorea: (caller, args) => add(caller, args, { type: "restore", oid: args.oid(0), data: args.bytesOrNone(2) }),

  deleteObject: (caller, args) => add(caller, args, { type: "delete", oid: args.oid(0), serial: args.tidOrNone(1) }),

  checkCurrentSerialInTransaction: (caller, args) =>
    add(caller, args, { type: "check", oid: args.oid(0), serial: args.tidOrNone(1) }),

  undoa: (caller, args) => add(caller, args, { type: "undo", tid: undoneTid(args.raw(0)) }),

  storeBlobStart: () => null,
  storeBlobChunk: () => null,
  storeBlobEnd: (caller, args) => add(caller, args, { type: "refused", oid: args.oid(0), fault: NO_BLOBS }),
  storeBlobShared: (caller, args) => add(caller, args, { type: "refused", oid: args.oid(0), fault: NO_BLOBS }),

  tpc_finish: (caller, args, answer) => {
    const hosted = caller.registered;
    const transaction = ownTransaction(caller, args.value(0));
    if (transaction === undefined) return null;
    const { pending } = transaction;
    if (!transaction.locked || pending === undefined) {
      throw new StorageFault({ kind: "transaction-state", reason: "finished called wo lock" });
    }
    hosted.counters.commits += 1;
    pending.finish(caller.behaviour.emptyKeepsTid, (tid) => {
      announce(caller, hosted, tid, transaction.invalidated);
    });
    if (caller.style.family === "new") caller.tellSize();
    answer.reply(tidBytes(hosted.storage.lastTransaction()));
    // The lock goes only after the reply: the next vote's reply comes later on its own connection.
    endTransaction(caller);
    return undefined;
  },

  tpc_abort: (caller, args) => {
    const transaction = ownTransaction(caller, args.value(0));
    if (transaction === undefined) return null;
    caller.registered.counters.aborts += 1;
    transaction.pending?.abort();
    endTransaction(caller);
    return null;
  },
};

/** The connection's transaction with this id. Throws `read-only`, `wrong-transaction`. */
export function requireTransaction(caller: Caller, id: Value): ClientTransaction {
  const { transaction } = caller;
  if (caller.readOnly) throw new StorageFault({ kind: "read-only" });
  if (transaction === undefined) throw new StorageFault({ kind: "wrong-transaction", current: null, given: id });
  if (transaction.id !== messageIdOf(id)) {
    throw new StorageFault({ kind: "wrong-transaction", current: currentId(transaction.id), given: id });
  }
  return transaction;
}

/** The transaction is over: the commit lock is free. */
export function endTransaction(caller: Caller): void {
  const hosted = caller.registered;
  caller.transaction = undefined;
  hosted.counters.activeTransactions -= 1;
  hosted.lock.release(caller);
}

/** Like `requireTransaction`, but another id only means that nothing is done. */
function ownTransaction(caller: Caller, id: Value): ClientTransaction | undefined {
  if (caller.readOnly) throw new StorageFault({ kind: "read-only" });
  const { transaction } = caller;
  return transaction !== undefined && transaction.id === messageIdOf(id) ? transaction : undefined;
}

function add(caller: Caller, args: Arguments, operation: Operation): null {
  const transaction = requireTransaction(caller, args.last());
  const versionAt = operation.type === "refused" ? args.count - 2 : 3;
  if (hasVersions(caller.style) && (operation.type === "store" || operation.type === "refused") && args.count > 4) {
    if (args.raw(versionAt).length > 0) throw new StorageFault({ kind: "value", reason: "Versions aren't supported." });
  }
  caller.registered.counters.stores += 1;
  transaction.operations.push(operation);
  return null;
}

/**
 * Old: everything is queued for the others before the committer's reply is written. New: the event loop does it in its
 * next turn, so that other replies may come out in between (ZEO 5.2.1, `async_threadsafe`).
 */
function announce(caller: Caller, hosted: HostedStorage, tid: Tid, oids: readonly Buffer[]): void {
  const { silentWhenEmpty, skipClient } = caller.behaviour;
  const old = caller.style.family === "old";
  if (silentWhenEmpty && oids.length === 0) return;
  hosted.queue.add({ tid, oids });
  for (const other of hosted.registrants) {
    if (other === caller) {
      if (old) caller.tellSize();
      continue;
    }
    if (skipClient({ connection: other.connection, storage: hosted.id, tid, oids })) continue;
    if (old) other.tellInvalidation(tid, oids);
    else setImmediate(() => other.tellInvalidation(tid, oids));
  }
}

function transactionId(value: Value): MessageId {
  const id = messageIdOf(value);
  if (id === undefined) throw new StorageFault({ kind: "type", reason: "not a transaction id" });
  return id;
}

function currentId(id: MessageId): Value {
  return typeof id === "number" ? id : Buffer.from(id, "utf8");
}

/** From base64; undefined where it names no transaction. */
function undoneTid(text: Buffer): Tid | undefined {
  const bytes = Buffer.from(text.toString("latin1"), "base64");
  if (bytes.length !== tidBytes(NO_TID).length) return undefined;
  const tid = readTid(bytes);
  return tid === asTid(0n) ? undefined : tid;
}
