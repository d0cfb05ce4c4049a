import { afterEach, describe, expect, it } from "vitest";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import type { EmbeddedClientOptions } from "../../src/embedded/client.ts";
import { ClientCommit, conflictsOf } from "../../src/embedded/client-commit.ts";
import { MemoryStorage } from "../../src/embedded/memory-storage.ts";
import { RemoteError } from "../../src/embedded/remote-error.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import type { EmbeddedServerOptions } from "../../src/embedded/server.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";

const open: { close: () => Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function serve(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const server = new EmbeddedServer(options);
  await server.start();
  open.push(server);
  return server;
}

async function join(server: EmbeddedServer, options: Partial<EmbeddedClientOptions> = {}): Promise<EmbeddedClient> {
  const client = await EmbeddedClient.connect({ port: server.port, ...options });
  open.push(client);
  return client;
}

function oidOf(n: number): string {
  return n.toString(16).padStart(16, "0");
}

const PROTOCOLS = ["Z4", "Z5", "M5"] as const;

describe.each(PROTOCOLS)("an unpatched %s server", (protocol) => {
  it("announces its protocol, registers a client and hands out oids", async () => {
    const client = await join(await serve({ protocol }));
    expect(client.announced).toBe(protocol);
    expect(client.registered === null).toBe(protocol === "Z4");
    expect((await client.newOids(3)).map((oid) => Number.parseInt(oid, 16))).toEqual([1, 2, 3]);
  });

  it("stores, and loads what was current before a tid", async () => {
    const client = await join(await serve({ protocol }));
    const commits = new ClientCommit(client);
    const first = await commits.commit({ create: [oidOf(1)], data: Buffer.from("one") });
    const second = await commits.commit({ modify: [oidOf(1)], data: Buffer.from("two") });
    expect(second > first).toBe(true);
    expect(await client.lastTransaction()).toBe(second);
    expect(await client.loadBefore(oidOf(1), second)).toEqual({ data: Buffer.from("one"), serial: first, end: second });
    expect(await client.loadBefore(oidOf(1), asTid(second + 1n))).toEqual({
      data: Buffer.from("two"),
      serial: second,
      end: undefined,
    });
    expect(await client.loadBefore(oidOf(1), first)).toBeUndefined();
  });

  it("undoes a transaction of 135,000 objects", { timeout: 120_000 }, async () => {
    const client = await join(await serve({ protocol }));
    const commits = new ClientCommit(client);
    const all = Array.from({ length: 135_000 }, (_, i) => oidOf(i + 1));
    const created = await commits.commit({ create: all, data: Buffer.from("one") });
    commits.begin();
    commits.undo(created);
    expect(await commits.vote()).toHaveLength(all.length);
    const undone = await commits.finish();
    expect(await client.lastTransaction()).toBe(undone);
  });

  it("leaves created, deleted and restored objects out of its invalidations", async () => {
    const server = await serve({ protocol });
    const [writer, watcher] = [await join(server), await join(server)];
    const commits = new ClientCommit(writer);
    const created = await commits.commit({ create: [oidOf(1), oidOf(2)] });
    const mixed = await commits.commit({ create: [oidOf(3)], modify: [oidOf(1)] });
    const gone = await commits.commit({ delete: [oidOf(2)], restore: [oidOf(9)] });
    const none = await commits.commit({ createWithoutSerial: [oidOf(4)] });
    await watcher.invalidation(none);
    const told = watcher.invalidations.map(({ tid, oids }) => [tid, oids]);
    expect(told.filter(([, oids]) => oids?.toString() !== "")).toEqual([
      [mixed, [oidOf(1)]],
      [none, [oidOf(4)]],
    ]);
    // Only new servers say that there was something.
    const empty = told.filter(([, oids]) => oids?.toString() === "").map(([tid]) => tid);
    expect(empty).toEqual(protocol === "Z4" ? [] : [created, gone]);
    expect(writer.invalidations).toEqual([]);
  });

  it("names created objects when it is patched, but not deleted ones", async () => {
    const server = await serve({ protocol, omitCreated: false });
    const [writer, watcher] = [await join(server), await join(server)];
    const commits = new ClientCommit(writer);
    const created = await commits.commit({ create: [oidOf(1)] });
    expect((await watcher.invalidation(created)).oids).toEqual([oidOf(1)]);
    const mixed = await commits.commit({ create: [oidOf(2)], delete: [oidOf(1)] });
    expect((await watcher.invalidation(mixed)).oids).toEqual([oidOf(2)]);
  });

  it("answers getInvalidations from the same incomplete lists", async () => {
    const client = await join(await serve({ protocol }));
    const commits = new ClientCommit(client);
    await commits.commit({ create: [oidOf(1)] });
    const modified = await commits.commit({ modify: [oidOf(1)] });
    const created = await commits.commit({ create: [oidOf(2)] });
    const since = await client.getInvalidations(modified);
    expect(since).toEqual({ tid: protocol === "Z4" ? modified : created, oids: [] });
    expect(await client.getInvalidations(NO_TID)).toBeUndefined();
  });

  it("answers getInvalidations completely after a restart", async () => {
    const storage = new MemoryStorage();
    const before = await serve({ protocol, storages: { "1": storage } });
    const commits = new ClientCommit(await join(before));
    const first = await commits.commit({ create: [oidOf(1)] });
    const second = await commits.commit({ create: [oidOf(2)] });
    await before.close();
    const client = await join(await serve({ protocol, storages: { "1": storage } }));
    expect(await client.getInvalidations(first)).toEqual({ tid: second, oids: [oidOf(2)] });
  });

  it("refuses a conflicting store and lets the next one vote", async () => {
    const server = await serve({ protocol });
    const [a, b] = [new ClientCommit(await join(server)), new ClientCommit(await join(server))];
    await a.commit({ create: [oidOf(1)] });
    await b.serialOf(oidOf(1));
    await a.commit({ modify: [oidOf(1)] });
    const refused = await b.commit({ modify: [oidOf(1)] }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RemoteError);
    expect((refused as RemoteError).type).toBe("ZODB.POSException.ConflictError");
    expect(server.waitingVotes()).toBe(0);
    expect(await a.commit({ modify: [oidOf(1)] })).not.toBe(NO_TID);
  });

  it("lets a second vote wait until the first transaction is over", async () => {
    const server = await serve({ protocol });
    const [first, second] = [await join(server), await join(server)];
    const [a, b] = [new ClientCommit(first), new ClientCommit(second)];
    a.begin();
    a.store(oidOf(1), NO_TID, Buffer.from("a"));
    await a.vote();
    b.begin();
    b.store(oidOf(2), NO_TID, Buffer.from("b"));
    const vote = b.vote();
    await second.lastTransaction();
    expect(server.waitingVotes()).toBe(1);
    const tidOfA = await a.finish();
    await vote;
    expect((await b.finish()) > tidOfA).toBe(true);
  });

  it("frees the lock of a client that goes away between vote and finish", async () => {
    const server = await serve({ protocol });
    const gone = await join(server);
    const a = new ClientCommit(gone);
    a.begin();
    a.store(oidOf(1), NO_TID, Buffer.from("a"));
    await a.vote();
    await gone.close();
    const b = new ClientCommit(await join(server));
    await b.commit({ create: [oidOf(1)] });
    expect(server.storage().length).toBe(1);
  });

  it("undoes a transaction and names its objects", async () => {
    const server = await serve({ protocol });
    const [writer, watcher] = [await join(server), await join(server)];
    const commits = new ClientCommit(writer);
    await commits.commit({ create: [oidOf(1)], data: Buffer.from("one") });
    const second = await commits.commit({ modify: [oidOf(1)], data: Buffer.from("two") });
    commits.begin();
    commits.undo(second);
    await commits.vote();
    const undone = await commits.finish();
    expect((await watcher.invalidation(undone)).oids).toEqual([oidOf(1)]);
    expect((await writer.loadBefore(oidOf(1), asTid(undone + 1n)))?.data.toString()).toBe("one");
  });

  it("refuses packing and blobs with exceptions", async () => {
    const client = await join(await serve({ protocol }));
    await expect(client.call("pack", 1.5, true)).rejects.toMatchObject({ type: "ZODB.POSException.Unsupported" });
    await expect(client.call("sendBlob", Buffer.alloc(8, 1), Buffer.alloc(8, 2))).rejects.toMatchObject({
      type: "ZODB.POSException.POSKeyError",
    });
    const commits = new ClientCommit(client);
    const id = commits.begin();
    client.send("storeBlobStart");
    client.send("storeBlobChunk", Buffer.from("bytes"));
    client.send("storeBlobEnd", Buffer.alloc(8, 1), Buffer.alloc(8), Buffer.from("data"), id);
    await expect(commits.vote()).rejects.toMatchObject({ type: "ZODB.POSException.Unsupported" });
    await commits.abort();
  });

  it("serves several storages and keeps them apart", async () => {
    const server = await serve({ protocol, storages: { "1": new MemoryStorage(), other: new MemoryStorage() } });
    const [writer, watcher] = [await join(server), await join(server, { storage: "other" })];
    const commits = new ClientCommit(writer);
    await commits.commit({ create: [oidOf(1)] });
    await commits.commit({ modify: [oidOf(1)] });
    expect(await watcher.lastTransaction()).toBe(NO_TID);
    expect(watcher.invalidations).toEqual([]);
    await expect(join(server, { storage: "none" })).rejects.toMatchObject({ details: expect.anything() as unknown });
  });

  it("skips a client when it is told to", async () => {
    const server = await serve({ protocol });
    const [writer, skipped, other] = [await join(server), await join(server), await join(server)];
    const commits = new ClientCommit(writer);
    await commits.commit({ create: [oidOf(1)] });
    server.configure({ skipClient: ({ connection }) => connection === 2 });
    const missed = await commits.commit({ modify: [oidOf(1)] });
    server.configure({ skipClient: () => false });
    const told = await commits.commit({ modify: [oidOf(1)] });
    await skipped.invalidation(told);
    await other.invalidation(missed);
    expect(skipped.invalidations.map(({ tid }) => tid)).not.toContain(missed);
  });

  it("offers the history by iteration", async () => {
    const client = await join(await serve({ protocol }));
    const tid = await new ClientCommit(client).commit({ create: [oidOf(1)], data: Buffer.from("one") });
    const iid = await client.call("iterator_start", null, null);
    expect(iid).toBe(0);
    expect(await client.call("iterator_next", iid)).not.toBeNull();
    const { tidBytes } = await import("../../src/wire/ids.ts");
    const records = await client.call("iterator_record_start", iid, tidBytes(tid));
    expect(records).toBe(1);
    const shown = JSON.stringify(await client.call("iterator_record_next", records));
    expect(shown).toContain(JSON.stringify(Buffer.from("one").toJSON()));
    expect(await client.call("iterator_record_next", records)).toBeNull();
    expect(await client.call("iterator_next", iid)).toBeNull();
  });
});

describe("the Z4 server's own ways", () => {
  it("answers an empty transaction with the previous tid", async () => {
    const commits = new ClientCommit(await join(await serve({ protocol: "Z4" })));
    const first = await commits.commit({ create: [oidOf(1)] });
    expect(await commits.commit({})).toBe(first);
    expect(await commits.commit({ check: [oidOf(1)] })).toBe(first);
  });

  it("sends serialnos before the vote's None, and the invalidation before the committer's reply", async () => {
    const server = await serve({ protocol: "Z4" });
    const order: string[] = [];
    server.gate.outgoing(({ connection, kind, method }) => {
      order.push(`${connection} ${kind} ${method}`);
      return false;
    });
    const [writer, watcher] = [await join(server), await join(server)];
    const commits = new ClientCommit(writer);
    await commits.commit({ create: [oidOf(1)] });
    order.length = 0;
    await watcher.invalidation(await commits.commit({ modify: [oidOf(1)] }));
    expect(order).toEqual([
      "1 one-way serialnos",
      "1 reply vote",
      "1 one-way info",
      "2 invalidation invalidateTransaction",
      "1 reply tpc_finish",
    ]);
  });

  it("keeps the lock after a failed store, and frees it when the vote itself fails", async () => {
    const server = await serve({ protocol: "Z4" });
    const [first, second] = [await join(server), await join(server)];
    const [a, b] = [new ClientCommit(first), new ClientCommit(second)];
    await a.commit({ create: [oidOf(1)] });
    b.begin();
    b.store(oidOf(1), NO_TID, Buffer.from("b"));
    await expect(b.vote()).rejects.toMatchObject({ type: "ZODB.POSException.ConflictError" });
    a.begin();
    const vote = a.vote();
    await first.lastTransaction();
    expect(server.waitingVotes()).toBe(1);
    await b.abort();
    await vote;
    await a.abort();

    server.configure({ voteFault: () => ({ kind: "transaction-state", reason: "disk full" }) });
    a.begin();
    await expect(a.vote()).rejects.toMatchObject({ type: "ZODB.POSException.StorageTransactionError" });
    server.configure({ voteFault: () => undefined });
    await b.commit({ modify: [oidOf(1)] }).catch(() => undefined);
    expect(server.waitingVotes()).toBe(0);
  });

  it("reads pairs and versions of a Z308 client", async () => {
    const server = await serve({ protocol: "Z4" });
    const writer = await join(server, { protocol: "Z308" });
    const watcher = await join(server, { protocol: "Z308" });
    const commits = new ClientCommit(writer);
    await commits.commit({ create: [oidOf(1)] });
    const tid = await commits.commit({ modify: [oidOf(1)] });
    expect((await watcher.invalidation(tid)).oids).toEqual([oidOf(1)]);
    await expect(watcher.getInvalidations(tid)).resolves.toEqual({ tid, oids: [] });
  });

  it("tells of stale objects one by one when a whole cache is verified", async () => {
    const client = await join(await serve({ protocol: "Z4" }));
    const tid = await new ClientCommit(client).commit({ create: [oidOf(1)] });
    const { tidBytes } = await import("../../src/wire/ids.ts");
    client.send("verify", Buffer.from(oidOf(1), "hex"), tidBytes(tid));
    client.send("verify", Buffer.from(oidOf(1), "hex"), tidBytes(asTid(1n)));
    client.send("endZeoVerify");
    await client.until((entry) => entry.type === "one-way" && entry.method === "endVerify");
    const stale = client.received.filter((entry) => entry.type === "one-way" && entry.method === "invalidateVerify");
    expect(stale).toHaveLength(1);
  });
});

describe.each(["Z5", "M5"] as const)("the %s server's own ways", (protocol) => {
  it("gives an empty transaction a tid of its own and tells of it", async () => {
    const server = await serve({ protocol });
    const [writer, watcher] = [await join(server), await join(server)];
    const commits = new ClientCommit(writer);
    const first = await commits.commit({ create: [oidOf(1)] });
    const empty = await commits.commit({});
    expect(empty > first).toBe(true);
    expect((await watcher.invalidation(empty)).oids).toEqual([]);
  });

  it("sends info and the reply first, then the invalidation", async () => {
    const server = await serve({ protocol });
    const order: string[] = [];
    const [writer, watcher] = [await join(server), await join(server)];
    server.gate.outgoing(({ connection, kind, method }) => {
      order.push(`${connection} ${kind} ${method}`);
      return false;
    });
    await watcher.invalidation(await new ClientCommit(writer).commit({ create: [oidOf(1)] }));
    expect(order).toEqual([
      "1 reply vote",
      "1 one-way info",
      "1 reply tpc_finish",
      "2 invalidation invalidateTransaction",
    ]);
  });

  it("lets the client resolve conflicts, and then names an object twice", async () => {
    const server = await serve({ protocol, clientConflictResolution: true });
    const [first, second] = [await join(server), await join(server)];
    const [a, b] = [new ClientCommit(first), new ClientCommit(second)];
    const created = await a.commit({ create: [oidOf(1)] });
    const modified = await a.commit({ modify: [oidOf(1)] });
    b.begin();
    b.store(oidOf(1), created, Buffer.from("mine"));
    const conflicts = conflictsOf(await b.vote());
    expect(conflicts.get(oidOf(1))).toEqual({ current: modified, data: Buffer.from("mine") });
    b.store(oidOf(1), modified, Buffer.from("resolved"));
    expect(await b.vote()).toEqual([]);
    const tid = await b.finish();
    expect((await first.invalidation(tid)).oids).toEqual([oidOf(1)]);
  });

  it("clears the transaction when its vote fails", async () => {
    const server = await serve({ protocol, voteFault: () => ({ kind: "transaction-state", reason: "disk full" }) });
    const commits = new ClientCommit(await join(server));
    commits.begin();
    await expect(commits.vote()).rejects.toMatchObject({ type: "ZODB.POSException.StorageTransactionError" });
    expect(await commits.finish()).toBe(NO_TID);
  });

  it("closes a connection that calls before register, or something unknown", async () => {
    const server = await serve({ protocol });
    const early = await join(server, { register: false });
    early.send("lastTransaction");
    await early.whenClosed();
    const odd = await join(server);
    odd.send("no_such_method");
    await odd.whenClosed();
    const bad = await join(server);
    bad.send("storea", Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(1), 5);
    await bad.whenClosed();
  });
});

describe("every server", () => {
  it("answers ruok with the status of all storages and closes", async () => {
    const server = await serve({ storages: { "1": new MemoryStorage(), two: new MemoryStorage() } });
    const { connect } = await import("node:net");
    const socket = connect(server.port, "127.0.0.1");
    socket.write(Buffer.concat([Buffer.from([0, 0, 0, 4]), Buffer.from("ruok")]));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const all = Buffer.concat(chunks);
    const greeting = 4 + all.readUInt32BE(0);
    const status = JSON.parse(all.subarray(greeting + 4).toString()) as Record<string, Record<string, unknown>>;
    expect(Object.keys(status)).toEqual(["1", "two"]);
    expect(status["1"]?.["last-transaction"]).toBe("0000000000000000");
  });

  it("refuses a read-write registration where it is read-only; the client may try again", async () => {
    const server = await serve({ readOnly: true });
    const client = await join(server, { register: false });
    await expect(client.register("1", false)).rejects.toMatchObject({ type: "ZODB.POSException.ReadOnlyError" });
    await client.register("1", true);
    expect(await client.lastTransaction()).toBe(NO_TID);
  });

  it("closes a connection with a bad handshake or bytes that are no message", async () => {
    const problems: string[] = [];
    const server = await serve({ onProblem: (_connection, text) => problems.push(text) });
    const old = await join(server, { protocol: "Z4", register: false });
    await old.whenClosed();
    const noise = await join(server);
    noise.sendPayload(Buffer.from("noise"));
    await noise.whenClosed();
    expect(problems).toHaveLength(2);
  });

  it("holds single replies, whole connections and calls", async () => {
    const server = await serve();
    const client = await join(server);
    const reply = server.gate.outgoing(({ kind, method }) => kind === "reply" && method === "lastTransaction");
    const waiting = client.lastTransaction();
    await reply.caught();
    await client.newOids(1);
    reply.open();
    await waiting;

    const line = server.gate.outgoing(({ method }) => method === "lastTransaction", "connection");
    const both = [client.lastTransaction(), client.newOids(1)];
    await line.caught();
    const other = await join(server);
    await other.newOids(1);
    expect(client.unanswered).toBe(2);
    line.open();
    await Promise.all(both);

    const call = server.gate.incoming(({ method }) => method === "new_oids");
    const oids = client.newOids(1);
    await call.caught();
    const behind = client.lastTransaction();
    await other.lastTransaction();
    expect(client.unanswered).toBe(2);
    call.open();
    await Promise.all([oids, behind]);
  });
});
