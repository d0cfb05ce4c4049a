import { describe, expect, it } from "vitest";
import type { Received } from "../../src/embedded/client.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { tidHex } from "../../src/wire/ids.ts";
import { itemsOf, PyTuple } from "../../src/wire/value.ts";
import { oid, telling, tellings, world } from "./world.ts";

const PROTOCOLS = ["Z4", "Z5", "M5"] as const;

describe.each(PROTOCOLS)("between clients of a %s server", (protocol) => {
  it("completes an invalidation that comes before the committer's reply", async () => {
    const gateway = await world({ protocol });
    const commit = new ClientCommit(await gateway.connect());
    const watcher = await gateway.connect();
    const first = await commit.commit({ create: [oid(1)] });
    const direct = await gateway.connect({ port: gateway.server.port });
    const hold = gateway.server.gate.outgoing(({ method }) => method === "tpc_finish");
    const committed = commit.commit({ create: [oid(2)], modify: [oid(1)] });
    await hold.caught();
    // What the server tells without a proxy; behind it, it waits for the reply.
    const { tid: seen } = (await direct.until(
      (entry) => entry.type === "invalidation" && entry.tid > first,
    )) as never as { tid: bigint };
    await direct.lastTransaction();
    expect(tellings(watcher).filter(({ tid }) => tid !== tidHex(first))).toEqual([]);
    hold.open();
    const tid = await committed;
    expect(tid).toBe(seen);
    await watcher.invalidation(tid);
    expect(tellings(watcher)).toEqual([telling(first, 1), telling(tid, 1, 2)]);
  });

  it("completes an invalidation that comes after the committer's reply", async () => {
    const gateway = await world({ protocol });
    const commit = new ClientCommit(await gateway.connect());
    const watcher = await gateway.connect();
    await commit.commit({ create: [oid(1)] });
    const hold = gateway.server.gate.outgoing(({ kind }) => kind === "invalidation", "connection");
    const tid = await commit.commit({ create: [oid(2)], modify: [oid(1)] });
    await hold.caught();
    hold.open();
    await watcher.invalidation(tid);
    expect(tellings(watcher).at(-1)).toEqual(telling(tid, 1, 2));
    expect(gateway.repairs.at(-1)).toMatchObject({ repair: "completed", created: 1 });
  });

  it("shows nobody a tid before its complete invalidation", async () => {
    const gateway = await world({ protocol });
    const commit = new ClientCommit(await gateway.connect());
    const watcher = await gateway.connect();
    await commit.commit({ create: [oid(1)] });
    const late = gateway.server.gate.outgoing(({ kind }) => kind === "invalidation");
    const finish = gateway.server.gate.outgoing(({ method }) => method === "tpc_finish");
    const committed = commit.commit({ create: [oid(2)], modify: [oid(1)] });
    await finish.caught();
    const last = watcher.lastTransaction();
    const loaded = watcher.loadBefore(oid(1), 0x7fffffffffffffffn as never);
    finish.open();
    const tid = await committed;
    // An old server never shows it first; then the invalidation must be let go to get on.
    if (protocol !== "Z4") expect(watcher.received.some(shows(tid))).toBe(false);
    late.open();
    expect(await last).toBe(tid);
    expect((await loaded)?.serial).toBe(tid);
    const told = watcher.received.findIndex((entry) => entry.type === "invalidation" && entry.tid === tid);
    const shown = watcher.received.findIndex((entry) => entry.type === "reply" && shows(tid)(entry));
    expect(told).toBeGreaterThanOrEqual(0);
    expect(told).toBeLessThan(shown);
    expect(tellings(watcher).at(-1)).toEqual(telling(tid, 1, 2));
  });

  it("sends a committer nothing between its tpc_finish and the reply, and all of it in order", async () => {
    const gateway = await world({ protocol });
    const [a, b] = [await gateway.connect(), await gateway.connect()];
    const [commitA, commitB] = [new ClientCommit(a), new ClientCommit(b)];
    const tids = [await commitA.commit({ create: [oid(1)] })];
    for (let n = 2; n < 12; n++) {
      const [x, y] = await Promise.all([
        commitA.commit({ create: [oid(n)] }),
        commitB.commit({ create: [oid(100 + n)] }),
      ]);
      tids.push(x, y);
    }
    const last = await a.lastTransaction();
    await b.lastTransaction();
    const sorted = [...new Set(tids)].sort((one, other) => (one < other ? -1 : 1));
    expect(sorted.at(-1)).toBe(last);
    const toldA = new Set(tellings(a).map(({ tid }) => tid));
    const toldB = new Set(tellings(b).map(({ tid }) => tid));
    // Each is told of exactly the other's.
    expect([...toldA, ...toldB].sort()).toEqual(sorted.map(tidHex));
    for (const client of [a, b]) {
      const own = client.invalidations.map(({ tid }) => tid);
      expect(own).toEqual([...own].sort((one, other) => (one < other ? -1 : 1)));
    }
  });

  it("settles a commit whose client died before the reply", async () => {
    const gateway = await world({ protocol });
    const writer = await gateway.connect();
    const commit = new ClientCommit(writer);
    const watcher = await gateway.connect();
    const first = await commit.commit({ create: [oid(1)] });
    const hold = gateway.server.gate.outgoing(({ method }) => method === "tpc_finish", "connection");
    commit.begin();
    commit.store(oid(2), 0n as never, Buffer.from("data"));
    await commit.vote();
    const finished = commit.finish();
    await hold.caught();
    writer.reset();
    await expect(finished).rejects.toThrow("closed");
    hold.open();
    const told = await watcher.until((entry) => entry.type === "invalidation" && entry.tid > first, 3000);
    expect(told).toMatchObject({ oids: [oid(2)] });
    expect(gateway.ended).toEqual([]);
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 1, "the dead client's session ends");
  });

  it("settles a commit whose client has closed its half, and answers it", async () => {
    const gateway = await world({ protocol });
    const writer = await gateway.connect();
    const commit = new ClientCommit(writer);
    const watcher = await gateway.connect();
    commit.begin();
    commit.store(oid(2), 0n as never, Buffer.from("data"));
    await commit.vote();
    const hold = gateway.server.gate.outgoing(({ method }) => method === "tpc_finish", "connection");
    const finished = commit.finish();
    await hold.caught();
    writer.end();
    // A server that heard of the end by now would have closed the connection.
    await new Promise((resolve) => setTimeout(resolve, 50));
    hold.open();
    const tid = await finished;
    expect(await watcher.invalidation(tid)).toMatchObject({ oids: [oid(2)] });
    await writer.whenClosed();
  });

  it("tells nothing of an aborted and of an empty transaction's tid twice", async () => {
    const gateway = await world({ protocol });
    const commit = new ClientCommit(await gateway.connect());
    const other = new ClientCommit(await gateway.connect());
    const watcher = await gateway.connect();
    const tids = [await commit.commit({ create: [oid(1)] })];
    commit.begin();
    commit.store(oid(5), 0n as never, Buffer.from("never"));
    await commit.vote();
    await commit.abort();
    const empty = await other.commit({});
    const checked = await other.commit({ check: [oid(1)] });
    tids.push(await commit.commit({ modify: [oid(1)] }));
    await watcher.invalidation(tids[1] as never);
    const told = tellings(watcher).map(({ tid }) => tid);
    const expected = protocol === "Z4" ? tids : [tids[0], empty, checked, tids[1]];
    expect(told).toEqual(expected.map((tid) => tidHex(tid as never)));
    expect(tellings(watcher).flatMap(({ oids }) => oids)).toEqual([oid(1), oid(1)]);
  });
});

describe("message ids", () => {
  it.each(["Z4", "Z5"] as const)("may be tuples before a %s server", async (protocol) => {
    const gateway = await world({ protocol });
    const commit = new ClientCommit(await gateway.connect());
    const watcher = await gateway.connect({ dialect: protocol === "Z4" ? "pickle3-zeo4" : "pickle3" });
    await commit.commit({ create: [oid(1)] });
    const isLate = protocol === "Z5";
    const late = gateway.server.gate.outgoing(({ kind }) => isLate && kind === "invalidation");
    const second = await commit.commit({ modify: [oid(1)] });
    const key = Buffer.from(oid(1), "hex");
    const before = Buffer.alloc(8, 0x7f);
    const loaded = watcher.callWithId(new PyTuple([key, before]), "loadBefore", key, before);
    if (isLate) await late.caught();
    late.open();
    const [, serial] = itemsOf(await loaded) ?? [];
    expect(Buffer.isBuffer(serial) && serial.readBigUInt64BE(0)).toBe(second);
    expect(watcher.received.slice(-2).map(({ type }) => type)).toEqual(["invalidation", "reply"]);
  });

  it("may be 0 for a first call", async () => {
    const gateway = await world({ protocol: "Z4" });
    const client = await gateway.connect({ register: false });
    await client.callWithId(0, "getAuthProtocol");
    await client.callWithId(1, "register", "1", false);
    client.send("tpc_begin", 7, "", "", new Map(), null, " ");
    const watcher = await gateway.connect();
    client.send("storea", Buffer.from(oid(1), "hex"), Buffer.alloc(8), Buffer.from("x"), 7);
    await client.callWithId(2, "vote", 7);
    const tid = (await client.callWithId(0, "tpc_finish", 7)) as Buffer;
    expect(await watcher.invalidation(tid.readBigUInt64BE(0) as never)).toMatchObject({ oids: [oid(1)] });
  });
});

/** Does a message show this tid? */
function shows(tid: bigint): (entry: Received) => boolean {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(tid);
  return (entry) => {
    if (entry.type !== "reply") return entry.type === "invalidation" && entry.tid === tid;
    const values = Buffer.isBuffer(entry.value) ? [entry.value] : (itemsOf(entry.value) ?? []);
    return values.some((value) => Buffer.isBuffer(value) && value.equals(bytes));
  };
}
