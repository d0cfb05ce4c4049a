import { describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { asTid, tidHex, type Tid } from "../../src/wire/ids.ts";
import { gatewayTo, embeddedServer, oid, world } from "./world.ts";

const TOO_OLD = "getInvalidations answered None: the history does not reach back so far";

describe.each(["Z4", "Z5", "M5"] as const)("a client of a %s server that comes back", (protocol) => {
  it("is told of all that it missed, and the repaired reply is one line", async () => {
    const gateway = await world({ protocol });
    const commit = new ClientCommit(await gateway.connect());
    await commit.commit({ create: [oid(1)] });
    const first = await commit.commit({ modify: [oid(1)] });
    const away = await gateway.connect();
    expect(await away.lastTransaction()).toBe(first);
    await away.close();
    await commit.commit({ create: [oid(2)] });
    await commit.commit({ modify: [oid(1)], create: [oid(3)] });
    const last = await commit.commit({ delete: [oid(2)] });
    const back = await gateway.connect();
    expect(await back.lastTransaction()).toBe(last);
    const answer = await back.getInvalidations(first);
    expect(answer?.tid).toBe(last);
    expect([...new Set(answer?.oids)].sort()).toEqual([oid(1), oid(2), oid(3)]);
    const client = gateway.told("client connected").at(-1)?.["client"];
    const fields = { upstream: "door0", storage: "1", client, from: tidHex(first), tid: tidHex(last) };
    expect(gateway.resumes).toEqual([fields]);
    const line = gateway.lines.filter((one) => one["from"] === tidHex(first));
    expect(line).toMatchObject([{ level: "info", ...fields }]);
    expect(gateway.proxy.stats()).toMatchObject({ resumed: 1, tooOld: 0 });
  });

  it("gets no answer that goes backwards", async () => {
    const gateway = await world({ protocol });
    const commit = new ClientCommit(await gateway.connect());
    await commit.commit({ create: [oid(1)] });
    await commit.commit({ modify: [oid(1)] });
    const sixth = await commit.commit({ create: [oid(2)] });
    const client = await gateway.connect();
    await client.lastTransaction();
    const seventh = await commit.commit({ create: [oid(3)] });
    await client.invalidation(seventh);
    const answer = await client.getInvalidations(sixth);
    expect(answer?.tid).toBe(seventh);
    expect(answer?.oids).toEqual([oid(3)]);
    expect((await client.getInvalidations(seventh))?.tid).toBe(seventh);
  });

  it("is answered None where the proxy started later, and as the server does from there on", async () => {
    const server = await embeddedServer({ protocol });
    const direct = await EmbeddedClient.connect({ port: server.port });
    const commit = new ClientCommit(direct);
    await commit.commit({ create: [oid(1)] });
    const first = await commit.commit({ modify: [oid(1)] });
    const second = await commit.commit({ create: [oid(2)], modify: [oid(1)] });
    await direct.close();
    const gateway = await gatewayTo(server.port);
    const client = await gateway.connect();
    expect(await client.lastTransaction()).toBe(second);
    expect(await client.getInvalidations(first)).toBeUndefined();
    expect(await client.getInvalidations(second)).toEqual({ tid: second, oids: [] });
    expect(gateway.told(TOO_OLD)).toMatchObject([
      { upstream: "door0", storage: "1", from: tidHex(first), reach: tidHex(second) },
    ]);
    expect(gateway.proxy.stats()).toMatchObject({ tooOld: 1, resumed: 0 });
    const more = await new ClientCommit(await gateway.connect()).commit({ create: [oid(3)] });
    await client.invalidation(more);
    expect(await client.getInvalidations(second)).toEqual({ tid: more, oids: [oid(3)] });
  });

  it("gets the server's own None as it is", async () => {
    const gateway = await world({ protocol, queueSize: 1 });
    const commit = new ClientCommit(await gateway.connect());
    const tids: Tid[] = [await commit.commit({ create: [oid(1)] })];
    for (let n = 0; n < 4; n++) tids.push(await commit.commit({ modify: [oid(1)] }));
    const client = await gateway.connect();
    await client.lastTransaction();
    expect(await client.getInvalidations(tids[0] as Tid)).toBeUndefined();
    expect(gateway.told(TOO_OLD)).toEqual([]);
    expect(gateway.proxy.stats()).toMatchObject({ tooOld: 0, resumed: 0 });
  });
});

describe("two storages on one server", () => {
  it("have nothing to do with each other", async () => {
    const { MemoryStorage } = await import("../../src/embedded/memory-storage.ts");
    const gateway = await world({ storages: { "1": new MemoryStorage(), other: new MemoryStorage() } });
    const one = new ClientCommit(await gateway.connect());
    const two = new ClientCommit(await gateway.connect({ storage: "other" }));
    const [w1, w2] = [await gateway.connect(), await gateway.connect({ storage: "other" })];
    const hold = gateway.server.gate.outgoing(({ method }) => method === "tpc_finish");
    const first = one.commit({ create: [oid(1)] });
    await hold.caught();
    // While storage 1 has a commit on its way, the other is as quick as ever.
    expect(await w2.lastTransaction()).toBe(0n);
    hold.open();
    const [tid1, tid2] = [await first, await two.commit({ create: [oid(2)] })];
    expect(await w1.invalidation(tid1)).toMatchObject({ oids: [oid(1)] });
    expect(await w2.invalidation(tid2)).toMatchObject({ oids: [oid(2)] });
    await Promise.all([w1.lastTransaction(), w2.lastTransaction()]);
    expect([w1.invalidations.length, w2.invalidations.length]).toEqual([1, 1]);
    expect(gateway.proxy.stats().storages.map(({ storage, commits }) => [storage, commits])).toEqual([
      ["1", 1],
      ["other", 1],
    ]);
    expect(gateway.repairs.map(({ storage }) => storage)).toEqual(["1", "other"]);
  });

  it("of an unknown name leave no trace", async () => {
    const gateway = await world();
    const client = await gateway.connect({ register: false });
    await expect(client.register("nowhere", false)).rejects.toThrow("register");
    expect(gateway.proxy.stats().storages).toEqual([]);
    // The client may try another one on the same connection.
    await client.register("1", false);
    const tid = await new ClientCommit(await gateway.connect()).commit({ create: [oid(1)] });
    expect(await client.invalidation(tid)).toMatchObject({ oids: [oid(1)] });
    const gone = await gateway.connect({ register: false });
    const hold = gateway.server.gate.incoming(({ method }) => method === "register");
    const registering = gone.register("elsewhere", false);
    await hold.caught();
    gone.destroy();
    await expect(registering).rejects.toThrow("closed");
    await gateway.until(() => gateway.proxy.stats().storages.length === 1, "the name is forgotten");
  });
});

describe("clients of different encodings", () => {
  it.each([
    ["Z5", "M5"],
    ["M5", "Z5"],
  ] as const)("on one %s server are told in their own: %s too", async (greeting, other) => {
    const gateway = await world({ protocol: greeting });
    const own = await gateway.connect();
    const foreign = await gateway.connect({ protocol: other });
    expect([own.protocol.name, foreign.protocol.name]).toEqual([greeting, other]);
    const [a, b] = [new ClientCommit(own), new ClientCommit(foreign)];
    const first = await a.commit({ create: [oid(1)], createWithoutSerial: [oid(2)] });
    await foreign.invalidation(first);
    const second = await b.commit({ create: [oid(3)], modify: [oid(1)] });
    await own.invalidation(second);
    expect(foreign.invalidations.map(({ tid, oids }) => [tid, [...oids].sort()])).toEqual([[first, [oid(1), oid(2)]]]);
    expect(own.invalidations.map(({ tid, oids }) => [tid, [...oids].sort()])).toEqual([[second, [oid(1), oid(3)]]]);
  });

  it.each(["Z308", "Z309", "Z310", "Z3101"])("may be %s before a Z4 server", async (name) => {
    const gateway = await world({ protocol: "Z4" });
    const old = await gateway.connect({ protocol: name });
    const other = await gateway.connect();
    await other.lastTransaction();
    const [a, b] = [new ClientCommit(old), new ClientCommit(other)];
    await a.commit({ create: [oid(1)] });
    const first = await a.commit({ create: [oid(2)], modify: [oid(1)] });
    expect([...(await other.invalidation(first)).oids].sort()).toEqual([oid(1), oid(2)]);
    const second = await b.commit({ create: [oid(3)], modify: [oid(1)] });
    expect([...(await old.invalidation(second)).oids].sort()).toEqual([oid(1), oid(3)]);
    const third = await b.commit({ create: [oid(4)] });
    expect((await old.invalidation(third)).oids).toEqual([oid(4)]);
    const back = await gateway.connect({ protocol: name });
    await back.lastTransaction();
    const answer = await back.getInvalidations(first);
    expect(answer?.tid).toBe(third);
    expect([...new Set(answer?.oids)].sort()).toEqual([oid(1), oid(3), oid(4)]);
  });

  it("may send heartbeats of protocol 1 among others", async () => {
    const gateway = await world({ protocol: "Z4" });
    const client = await gateway.connect();
    const heartbeat = client.codec.encode("pickle1", -1, 0, ".reply", null);
    for (let n = 0; n < 3; n++) {
      client.sendPayload(heartbeat);
      await client.call("ping").catch(() => undefined);
    }
    const tid = await new ClientCommit(client).commit({ create: [oid(1)] });
    expect(tid > asTid(0n)).toBe(true);
  });
});
