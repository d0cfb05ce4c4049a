import { tidBytes, tidTimeMs } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import { PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import { StorageFault } from "./faults.ts";
import type { TransactionRecord } from "./transaction-record.ts";
import type { Methods } from "./method.ts";
import type { Caller } from "./caller.ts";
import { hasVersions, nativeDict, nativeText } from "./style.ts";

const MAX_NEW_OIDS = 100;
const INTERFACES = ["IStorageRestoreable", "IStorageIteration", "IStorageUndoable", "IExternalGC", "IStorage"];

/** What a client asks without changing anything. The same on old and new servers, but for what `old-methods.ts` has. */
export const readMethods: Methods = {
  lastTransaction: (caller) => tidBytes(caller.registered.storage.lastTransaction()),

  loadBefore: (caller, args) => {
    const hosted = caller.registered;
    hosted.counters.loads += 1;
    const found = hosted.storage.loadBefore(args.oid(0), args.tid(1));
    if (found === undefined) return null;
    return new PyTuple([found.data, tidBytes(found.serial), found.end === undefined ? null : tidBytes(found.end)]);
  },

  loadSerial: (caller, args) => caller.registered.storage.loadSerial(args.oid(0), args.tid(1)),

  getTid: (caller, args) => tidBytes(caller.registered.storage.getTid(args.oid(0))),

  history: (caller, args) => {
    const versions = hasVersions(caller.style) && args.count > 1 ? 1 : 0;
    const entries = caller.registered.storage.history(args.oid(0), args.integer(1 + versions, 1));
    return entries.map(({ transaction, size }) =>
      nativeDict(caller.style, {
        ...description(transaction),
        tid: tidBytes(transaction.tid),
        size,
        ...(versions === 1 ? { version: Buffer.alloc(0) } : {}),
      }),
    );
  },

  getInvalidations: (caller, args) => {
    const since = caller.registered.queue.since(args.tid(0));
    if (since === undefined) return null;
    const oids: Value = hasVersions(caller.style)
      ? since.oids.map((oid) => new PyTuple([oid, Buffer.alloc(0)]))
      : [...since.oids];
    return new PyTuple([tidBytes(since.tid), oids]);
  },

  new_oids: (caller, args) => {
    if (caller.readOnly) throw new StorageFault({ kind: "read-only" });
    const count = Math.min(args.integer(0, MAX_NEW_OIDS), MAX_NEW_OIDS);
    return caller.registered.storage.newOids(Math.max(1, count));
  },

  get_info: (caller) => {
    const { storage } = caller.registered;
    const text = (value: string): Value => nativeText(caller.style, value);
    const interfaces = INTERFACES.map((name) => new PyTuple([text("ZODB.interfaces"), text(name)]));
    return nativeDict(caller.style, {
      length: storage.length,
      size: storage.size,
      name: text(storage.name),
      supportsUndo: true,
      supports_record_iternext: false,
      interfaces: new PyTuple(interfaces),
      ...(caller.style.family === "old" ? { extensionMethods: new Map() } : {}),
      ...(hasVersions(caller.style) ? { supportsVersions: false } : {}),
    });
  },

  get_size_info: (caller) => {
    const { storage } = caller.registered;
    return nativeDict(caller.style, { length: storage.length, size: storage.size });
  },

  getSize: (caller) => caller.registered.storage.size,

  undoInfo: (caller, args) => undoable(caller, args.integer(0, 0), args.integer(1, -20)),

  undoLog: (caller, args) => undoable(caller, args.integer(0, 0), args.integer(1, -20)),

  server_status: (caller) => {
    const status = Object.entries(caller.registered.status()).map(([key, value]): [string, Value] => [
      key,
      typeof value === "string" ? nativeText(caller.style, value) : value,
    ]);
    return nativeDict(caller.style, Object.fromEntries(status));
  },

  set_client_label: (caller, args) => {
    caller.label = args.text(0);
    return null;
  },

  ping: () => null,

  record_iternext: () => refuse("this server does not iterate over current records"),

  pack: () => refuse("this server does not pack"),

  sendBlob: (_caller, args) => {
    throw new StorageFault({ kind: "no-blob", oid: args.oid(0), serial: args.bytes(1) });
  },
};

function refuse(reason: string): never {
  throw new StorageFault({ kind: "unsupported", reason });
}

/** From the newest on; a negative `last` counts from `first` (FileStorage `undoLog`). */
function undoable(caller: Caller, first: number, last: number): Value {
  const newestFirst = [...caller.registered.storage.transactions].reverse();
  const end = last < 0 ? first - last : last;
  return newestFirst.slice(first, end).map((transaction) =>
    nativeDict(caller.style, {
      id: undoId(transaction.tid),
      ...description(transaction),
      size: transaction.records.reduce((sum, record) => sum + (record.data?.length ?? 0), 0),
    }),
  );
}

function description({ tid, user, description: text }: TransactionRecord): Record<string, Value> {
  return { time: tidTimeMs(tid) / 1000, user_name: user, description: text };
}

/** How FileStorage names a transaction that can be undone: its tid in base64. */
function undoId(tid: Tid): Buffer {
  return Buffer.from(tidBytes(tid).toString("base64"), "latin1");
}
