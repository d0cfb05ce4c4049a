import { describe, expect, it } from "vitest";
import { StorageFault } from "../../src/embedded/faults.ts";
import type { Fault } from "../../src/embedded/faults.ts";
import { MemoryStorage } from "../../src/embedded/memory-storage.ts";
import type { PendingTransaction } from "../../src/embedded/pending-transaction.ts";
import { asTid, NO_TID, tidAt, tidBytes } from "../../src/wire/ids.ts";
import type { Tid } from "../../src/wire/ids.ts";

const INFO = { user: Buffer.alloc(0), description: Buffer.alloc(0), extension: new Map(), status: " " };

function oid(n: number): Buffer {
  return tidBytes(asTid(BigInt(n)));
}

function commit(storage: MemoryStorage, work: (pending: PendingTransaction) => void, tid?: Tid): Tid {
  const pending = storage.begin(INFO, tid);
  work(pending);
  pending.finish(false, () => undefined);
  return pending.tid;
}

function faultOf(work: () => unknown): Fault["kind"] | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof StorageFault) return error.fault.kind;
    throw error;
  }
  return undefined;
}

describe("MemoryStorage", () => {
  it("gives every transaction a greater tid, also where the clock stands still or goes back", () => {
    let now = Date.UTC(2026, 0, 1);
    const storage = new MemoryStorage({ now: () => now });
    const first = commit(storage, () => undefined);
    expect(first).toBe(tidAt(now));
    const second = commit(storage, () => undefined);
    now -= 60_000;
    const third = commit(storage, () => undefined);
    expect(second > first && third > second).toBe(true);
    expect(storage.lastTransaction()).toBe(third);
  });

  it("shows nothing of a transaction before it has finished, and nothing at all when it aborts", () => {
    const storage = new MemoryStorage();
    const pending = storage.begin(INFO);
    pending.store(oid(1), NO_TID, Buffer.from("a"));
    expect(storage.lastTransaction()).toBe(NO_TID);
    expect(faultOf(() => storage.load(oid(1)))).toBe("no-object");
    pending.abort();
    expect(storage.length).toBe(0);
    expect(storage.transactions).toEqual([]);
  });

  it("has one open transaction at a time", () => {
    const storage = new MemoryStorage();
    const first = storage.begin(INFO);
    expect(faultOf(() => storage.begin(INFO))).toBe("transaction-state");
    first.abort();
    storage.begin(INFO).abort();
  });

  it("finds the revision before a tid and when it ended", () => {
    const storage = new MemoryStorage();
    const first = commit(storage, (t) => t.store(oid(1), NO_TID, Buffer.from("a")));
    const second = commit(storage, (t) => t.store(oid(1), first, Buffer.from("b")));
    expect(storage.loadBefore(oid(1), first)).toBeUndefined();
    expect(storage.loadBefore(oid(1), second)).toEqual({ data: Buffer.from("a"), serial: first, end: second });
    expect(storage.load(oid(1))).toEqual({ data: Buffer.from("b"), serial: second });
    expect(storage.loadSerial(oid(1), first).toString()).toBe("a");
    expect(faultOf(() => storage.loadBefore(oid(2), second))).toBe("no-object");
    expect(faultOf(() => storage.loadSerial(oid(1), asTid(5n)))).toBe("no-object");
  });

  it("refuses a store of what another transaction changed, with both serials", () => {
    const storage = new MemoryStorage();
    const first = commit(storage, (t) => t.store(oid(1), NO_TID, Buffer.from("a")));
    const pending = storage.begin(INFO);
    for (const serial of [NO_TID, null, asTid(first + 1n)]) {
      expect(faultOf(() => pending.store(oid(1), serial, Buffer.from("b")))).toBe("conflict");
    }
    expect(faultOf(() => pending.check(oid(1), NO_TID))).toBe("read-conflict");
    expect(faultOf(() => pending.delete(oid(1), NO_TID))).toBe("conflict");
    expect(faultOf(() => pending.delete(oid(2), NO_TID))).toBe("no-object");
    pending.check(oid(1), first);
    pending.abort();
  });

  it("keeps a deleted object's past and takes no store that did not see the deletion", () => {
    const storage = new MemoryStorage();
    const first = commit(storage, (t) => t.store(oid(1), NO_TID, Buffer.from("a")));
    const gone = commit(storage, (t) => t.delete(oid(1), first));
    expect(faultOf(() => storage.load(oid(1)))).toBe("no-object");
    expect(storage.loadBefore(oid(1), gone)?.data.toString()).toBe("a");
    const pending = storage.begin(INFO);
    expect(faultOf(() => pending.store(oid(1), first, Buffer.from("b")))).toBe("conflict");
    pending.store(oid(1), gone, Buffer.from("b"));
    pending.abort();
  });

  it("takes copied history with its own tids", () => {
    const storage = new MemoryStorage();
    commit(storage, (t) => t.restore(oid(7), Buffer.from("old")), asTid(1000n));
    expect(storage.load(oid(7)).serial).toBe(1000n);
    expect(storage.newOids(1)).toEqual([oid(8)]);
  });

  it("undoes what nobody changed later, creations too", () => {
    const storage = new MemoryStorage();
    const first = commit(storage, (t) => t.store(oid(1), NO_TID, Buffer.from("a")));
    const second = commit(storage, (t) => {
      t.store(oid(1), first, Buffer.from("b"));
      t.store(oid(2), NO_TID, Buffer.from("c"));
    });
    const pending = storage.begin(INFO);
    expect(faultOf(() => pending.undo(first))).toBe("undo");
    expect(faultOf(() => pending.undo(asTid(5n)))).toBe("undo");
    expect(pending.undo(second)).toEqual([oid(1), oid(2)]);
    pending.finish(false, () => undefined);
    expect(storage.load(oid(1)).data.toString()).toBe("a");
    expect(faultOf(() => storage.load(oid(2)))).toBe("no-object");
  });

  it("keeps the last of two stores of one object", () => {
    const storage = new MemoryStorage();
    const tid = commit(storage, (t) => {
      t.store(oid(1), NO_TID, Buffer.from("a"));
      t.store(oid(1), NO_TID, Buffer.from("b"));
    });
    expect(storage.load(oid(1))).toEqual({ data: Buffer.from("b"), serial: tid });
    expect(storage.history(oid(1), 5)).toHaveLength(1);
  });

  it("leaves no trace of an empty transaction where it shall not", () => {
    const storage = new MemoryStorage();
    const first = commit(storage, (t) => t.store(oid(1), NO_TID, Buffer.from("a")));
    const told: Tid[] = [];
    storage.begin(INFO).finish(true, (tid) => told.push(tid));
    expect(storage.lastTransaction()).toBe(first);
    storage.begin(INFO).finish(false, (tid) => told.push(tid));
    expect(told).toEqual([storage.lastTransaction()]);
    expect(storage.lastTransaction() > first).toBe(true);
  });

  it("iterates between two tids, both included, and lists the newest for a server's queue", () => {
    const storage = new MemoryStorage();
    const tids = [1, 2, 3].map((n) => commit(storage, (t) => t.store(oid(n), NO_TID, Buffer.from("a"))));
    expect(storage.iterate(tids[1], undefined).map(({ tid }) => tid)).toEqual(tids.slice(1));
    expect(storage.iterate(undefined, tids[1]).map(({ tid }) => tid)).toEqual(tids.slice(0, 2));
    expect(storage.lastInvalidations(2)).toEqual([
      { tid: tids[2], oids: [oid(3)] },
      { tid: tids[1], oids: [oid(2)] },
    ]);
  });

  it("refuses to write where it is read-only", () => {
    expect(faultOf(() => new MemoryStorage({ readOnly: true }).begin(INFO))).toBe("read-only");
  });
});
