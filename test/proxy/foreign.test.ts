import { onTestFinished, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import type { EmbeddedServer } from "../../src/embedded/server.ts";
import { tidHex, type Tid } from "../../src/wire/ids.ts";
import { frameOf } from "./peer.ts";
import { embeddedServer, gatewayTo, oid, telling, tellings, world, type Gateway } from "./world.ts";

// What does not pass through the proxy, with a witness at a real socket: the server's own port, another proxy before it, a
// proxy that was not there.

const WATCHED = { isWatched: true };
const BEYOND = "getInvalidations answered None: the history does not reach back so far";

/** Somebody at the server's own port. */
async function direct(server: EmbeddedServer): Promise<ClientCommit> {
  const client = await EmbeddedClient.connect({ port: server.port });
  onTestFinished(() => client.destroy());
  return new ClientCommit(client);
}

/** What has a foreign source, in order. */
function foreign(gateway: Gateway): { tid: string; oids: readonly string[] }[] {
  return gateway.repairs.filter(({ source }) => source === "foreign").map(({ tid, oids }) => ({ tid, oids }));
}

/** Oids of a `getInvalidations`, once each, in order. */
function missed(answer: { tid: Tid; oids: string[] } | undefined): { tid: string; oids: string[] } | undefined {
  return answer && { tid: tidHex(answer.tid), oids: [...new Set(answer.oids)].sort() };
}

describe.each(["Z4", "Z5", "M5"] as const)("a commit at the %s server's own port", (protocol) => {
  it("is told completely to everyone behind the proxy: creations alone, mixed, deletions", async () => {
    const gateway = await world({ protocol }, WATCHED);
    const watchers = [await gateway.connect(), await gateway.connect()];
    const elsewhere = await direct(gateway.server);
    const created = await elsewhere.commit({ create: [oid(1), oid(2)] });
    const mixed = await elsewhere.commit({ create: [oid(3)], modify: [oid(1)] });
    const deleted = await elsewhere.commit({ delete: [oid(2)] });
    const told = [telling(created, 1, 2), telling(mixed, 1, 3), telling(deleted, 2)];
    for (const watcher of watchers) {
      await watcher.invalidation(deleted);
      expect(tellings(watcher)).toEqual(told);
    }
    expect(foreign(gateway)).toEqual([
      { tid: tidHex(created), oids: [oid(1), oid(2)] },
      { tid: tidHex(mixed), oids: [oid(3)] },
      { tid: tidHex(deleted), oids: [oid(2)] },
    ]);
    const lines = gateway.told("invalidation repaired");
    expect(lines.map(({ tid, source, client }) => [tid, source, client])).toEqual(
      [created, mixed, deleted].map((tid) => [tidHex(tid), "foreign", undefined]),
    );
    const { storages, ended } = gateway.proxy.stats();
    expect(storages).toMatchObject([{ commits: 0, foreign: 3, read: 3, witness: "up" }]);
    expect(ended).toEqual({});
  });

  it("keeps its place among commits behind the proxy, whose clients are not told of their own", async () => {
    const gateway = await world({ protocol }, WATCHED);
    const inside = await gateway.connect();
    const watcher = await gateway.connect();
    const [here, elsewhere] = [new ClientCommit(inside), await direct(gateway.server)];
    const told: { tid: string; oids: string[] }[] = [];
    const others: { tid: string; oids: string[] }[] = [];
    for (let n = 0; n < 20; n++) {
      const isHere = n % 3 === 0;
      const tid = await (isHere ? here : elsewhere).commit({ create: [oid(n)] });
      told.push(telling(tid, n));
      if (!isHere) others.push(telling(tid, n));
    }
    await watcher.invalidation(tidOf(told));
    await inside.invalidation(tidOf(others));
    expect(tellings(watcher)).toEqual(told);
    expect(tellings(inside)).toEqual(others);
    expect(gateway.proxy.stats()).toMatchObject({ ended: {}, late: 0 });
  });

  it("is told by each of two proxies to its own clients", async () => {
    const server = await embeddedServer({ protocol });
    const gateways = [await gatewayTo(server.port, WATCHED), await gatewayTo(server.port, WATCHED)];
    const clients = await Promise.all(gateways.map((gateway) => gateway.connect()));
    const commits = clients.map((client) => new ClientCommit(client));
    const tids: [Tid, Tid][] = [];
    for (let n = 0; n < 10; n++) {
      tids.push([
        await (commits[0] as ClientCommit).commit({ create: [oid(2 * n)] }),
        await (commits[1] as ClientCommit).commit({ create: [oid(2 * n + 1)] }),
      ]);
    }
    const toldTo = [tids.map(([, tid], n) => telling(tid, 2 * n + 1)), tids.map(([tid], n) => telling(tid, 2 * n))];
    for (const [n, client] of clients.entries()) {
      await client.invalidation(tidOf(toldTo[n] ?? []));
      expect(tellings(client)).toEqual(toldTo[n]);
    }
    for (const gateway of gateways) {
      expect(gateway.proxy.stats().storages).toMatchObject([{ commits: 10, read: 10, foreign: 10 }]);
    }
  });
});

it.each(["Z4", "Z5"] as const)(
  "a client that comes from another proxy to a %s server is not told again of where it stands",
  async (protocol) => {
    const server = await embeddedServer({ protocol });
    const options = { isWatched: true, witness: { poll: "1h" } };
    const [one, two] = [await gatewayTo(server.port, options), await gatewayTo(server.port, options)];
    const writer = new ClientCommit(await one.connect());
    const before = await one.connect();
    await two.connect();
    await two.until(() => two.proxy.stats().storages[0]?.witness === "up", "the witness");
    const told = await writer.commit({ create: [oid(1)] });
    await before.invalidation(told);
    await before.close();
    const after = await two.connect();
    expect(await after.lastTransaction()).toBe(told);
    await after.call("lastTransaction");
    expect(tellings(after)).toEqual([]);
  },
);

describe.each(["Z4", "Z5", "M5"] as const)("storages of a %s server that the configuration names", (protocol) => {
  it("are read from when the server is there on: the first client is answered from the history", async () => {
    const server = await embeddedServer({ protocol });
    const elsewhere = await direct(server);
    const stood = await elsewhere.commit({ create: [oid(1)] });
    const gateway = await gatewayTo(server.port, { ...WATCHED, storages: ["1"], witness: { poll: "10ms" } });
    const storage = () => gateway.proxy.stats().storages[0];
    await gateway.until(() => storage()?.witness === "up", "the witness");
    const last = await elsewhere.commit({ create: [oid(2)], modify: [oid(1)] });
    await gateway.until(() => storage()?.read === 1, "the commit was read");
    const back = await gateway.connect();
    expect(await back.lastTransaction()).toBe(last);
    expect(missed(await back.getInvalidations(stood))).toEqual(telling(last, 1, 2));
  });

  it("show an outage where nobody is connected", async () => {
    const gateway = await world({ protocol }, { ...WATCHED, storages: ["1"] });
    await gateway.until(() => gateway.proxy.stats().storages[0]?.witness === "up", "the witness");
    const down = gateway.event("down");
    await gateway.server.close();
    expect(await down).toMatchObject({ upstream: "door0" });
    const listening = gateway.event("listening");
    await gateway.server.start();
    await listening;
  });

  it("are no sign of an outage where only the witness has lost its connection", async () => {
    const gateway = await world({ protocol }, { ...WATCHED, storages: ["1"] });
    const isUp = () => gateway.proxy.stats().storages[0]?.witness === "up";
    await gateway.until(isUp, "the witness");
    const [before] = gateway.server.connections;
    before?.close();
    await gateway.until(() => isUp() && gateway.server.connections.some((one) => one !== before), "it is back");
    await gateway.connect();
    expect(gateway.told("the server is down: not listening")).toEqual([]);
  });

  it("can be wrong: a line says so, and the others are read", async () => {
    const gateway = await world({ protocol }, { ...WATCHED, storages: ["1", "other"] });
    const unwatched = () => gateway.lines.filter(({ msg }) => msg.startsWith("there is no witness: "));
    await gateway.until(() => unwatched().length > 0, "the line");
    expect(unwatched()).toMatchObject([{ storage: "other", reason: "no-storage", upstream: "door0" }]);
    await gateway.until(() => gateway.proxy.stats().storages[0]?.witness === "up", "the witness");
    const client = await gateway.connect();
    const told = await (await direct(gateway.server)).commit({ create: [oid(1)] });
    await client.invalidation(told);
    expect(tellings(client)).toEqual([telling(told, 1)]);
  });
});

describe("a storage of the other family", () => {
  it("is forgotten with the client that a server refuses: it has no witness", async () => {
    const gateway = await world({ protocol: "Z5" }, WATCHED);
    const client = await gateway.connect();
    const peer = await gateway.peer();
    peer.write(Buffer.concat([frameOf(Buffer.from("Z4")), frameOf(peer.encode(1, 0, "register", "1", false))]));
    await peer.end();
    peer.socket.destroy();
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 1, "it has left");
    await gateway.until(() => gateway.proxy.stats().storages.length === 1, "its storage is forgotten");
    expect(gateway.proxy.stats().storages).toMatchObject([{ witness: "up" }]);
    expect(gateway.lines.filter(({ msg }) => msg.startsWith("there is no witness"))).toEqual([]);
    await client.lastTransaction();
  });

  it("is forgotten when the server was upgraded, and the named one is there", async () => {
    const old = await embeddedServer({ protocol: "Z4" });
    const gateway = await gatewayTo(old.port, { ...WATCHED, storages: ["1"] });
    const isUp = () =>
      gateway.proxy
        .stats()
        .storages.map(({ witness }) => witness)
        .join();
    await gateway.until(() => isUp() === "up", "the witness");
    const here = new ClientCommit(await gateway.connect());
    for (let n = 1; n < 4; n++) await here.commit({ create: [oid(n)] });
    const down = gateway.event("down");
    const { port } = old;
    await old.close();
    await down;
    const listening = gateway.event("listening");
    await embeddedServer({ protocol: "Z5", port });
    await listening;
    await gateway.until(() => isUp() === "up", "the old one is forgotten, the new one there");
    expect(gateway.proxy.stats().storages).toMatchObject([{ storage: "1", commits: 0 }]);
    await new ClientCommit(await gateway.connect()).commit({ create: [oid(1)] });
    expect(gateway.proxy.stats().storages).toMatchObject([{ storage: "1", commits: 1 }]);
  });
});

it("named storages have no witness where there is to be none", async () => {
  const gateway = await world({}, { storages: ["1", "other"] });
  await gateway.connect();
  expect(gateway.proxy.stats().storages).toMatchObject([{ storage: "1", witness: "off" }]);
});

describe.each(["Z4", "Z5", "M5"] as const)("a client of a %s server that comes back with its cache", (protocol) => {
  it("to a proxy that was started again is told of all that it missed, wherever it was committed", async () => {
    const server = await embeddedServer({ protocol });
    const before = await gatewayTo(server.port, WATCHED);
    const here = new ClientCommit(await before.connect());
    await here.commit({ create: [oid(1)] });
    const stood = await here.commit({ modify: [oid(1)] });
    await here.commit({ create: [oid(2)] });
    await before.proxy.stop();
    const elsewhere = await direct(server);
    await elsewhere.commit({ create: [oid(3)] });
    const last = await elsewhere.commit({ create: [oid(4)], modify: [oid(1)] });
    const after = await gatewayTo(server.port, WATCHED);
    const back = await after.connect();
    expect(await back.lastTransaction()).toBe(last);
    expect(missed(await back.getInvalidations(stood))).toEqual(telling(last, 1, 2, 3, 4));
    expect(after.proxy.stats()).toMatchObject({ resumed: 1, tooOld: 0, ended: {} });
    // And goes on from there.
    const next = await elsewhere.commit({ create: [oid(5)] });
    await back.invalidation(next);
    expect(tellings(back)).toEqual([telling(next, 5)]);
  });

  it("is answered what it missed where the server's own queue is too short", async () => {
    const gateway = await world({ protocol, queueSize: 1 }, WATCHED);
    const here = new ClientCommit(await gateway.connect());
    const stood = await here.commit({ create: [oid(1)] });
    const elsewhere = await direct(gateway.server);
    for (let n = 2; n < 6; n++) await (n % 2 === 0 ? here : elsewhere).commit({ create: [oid(n)] });
    const last = await here.commit({ modify: [oid(1)] });
    const back = await gateway.connect();
    await back.lastTransaction();
    expect(missed(await back.getInvalidations(stood))).toEqual(telling(last, 1, 2, 3, 4, 5));
    expect(gateway.told("getInvalidations answered None: the server itself does not reach back so far")).toEqual([]);
    expect(gateway.proxy.stats()).toMatchObject({ resumed: 1, tooOld: 0 });
  });

  it("is answered None where more was committed than may be read", async () => {
    const server = await embeddedServer({ protocol });
    const elsewhere = await direct(server);
    await elsewhere.commit({ create: [oid(1)] });
    const stood = await elsewhere.commit({ modify: [oid(1)] });
    for (let n = 0; n < 3; n++) await elsewhere.commit({ modify: [oid(1)] });
    const gateway = await gatewayTo(server.port, { ...WATCHED, witness: { "catch-up": { transactions: 2 } } });
    const back = await gateway.connect();
    await back.lastTransaction();
    expect(await back.getInvalidations(stood)).toBeUndefined();
    expect(gateway.told(BEYOND)).toMatchObject([{ from: tidHex(stood) }]);
    expect(gateway.proxy.stats()).toMatchObject({ resumed: 0, tooOld: 1, ended: {} });
  });
});

describe.each(["Z4", "Z5", "M5"] as const)("a %s server's connection that ends inside a tpc_finish", (protocol) => {
  it("ends nobody else: what the server has committed is told, and its client asks for it", async () => {
    const gateway = await world({ protocol }, WATCHED);
    const writer = await gateway.connect();
    const watcher = await gateway.connect();
    const here = new ClientCommit(writer);
    const stood = await here.commit({ create: [oid(1)] });
    await watcher.invalidation(stood);
    const reply = gateway.server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const lost = here.commit({ create: [oid(2)], modify: [oid(1)] }).catch((error: unknown) => error);
    await reply.caught();
    const last = gateway.server.storage().lastTransaction();
    breakOff(gateway.server, reply.messages[0]?.connection);
    expect(await lost).toBeInstanceOf(Error);
    await watcher.invalidation(last);
    expect(tellings(watcher)).toEqual([telling(stood, 1), telling(last, 1, 2)]);
    reply.open();
    const back = await gateway.connect();
    await back.lastTransaction();
    expect(missed(await back.getInvalidations(stood))).toEqual(telling(last, 1, 2));
    const next = await new ClientCommit(back).commit({ create: [oid(3)] });
    await watcher.invalidation(next);
    expect(tellings(watcher).at(-1)).toEqual(telling(next, 3));
    expect(
      gateway.told("a transaction whose fate nobody knows: no reply to its tpc_finish, or an exception"),
    ).toHaveLength(1);
    expect(gateway.proxy.stats().ended).toEqual({});
  });

  it("ends nobody else where the server has not committed, and nothing is told of it", async () => {
    const gateway = await world({ protocol }, WATCHED);
    const writer = await gateway.connect();
    const watcher = await gateway.connect();
    const call = gateway.server.gate.incoming(({ method }) => method === "tpc_finish");
    const lost = new ClientCommit(writer).commit({ create: [oid(1)] }).catch((error: unknown) => error);
    await call.caught();
    breakOff(gateway.server, call.messages[0]?.connection);
    expect(await lost).toBeInstanceOf(Error);
    call.open();
    const next = await new ClientCommit(await gateway.connect()).commit({ create: [oid(2)] });
    await watcher.invalidation(next);
    expect(tellings(watcher)).toEqual([telling(next, 2)]);
    expect(gateway.proxy.stats().ended).toEqual({});
  });
});

describe("what the witness can't read", () => {
  it("ends who waits for it longer than witness.hold, and the client that comes back is told", async () => {
    const gateway = await world({ protocol: "Z5" }, { ...WATCHED, witness: { hold: "300ms" } });
    const watcher = await gateway.connect();
    const elsewhere = await direct(gateway.server);
    const stood = await elsewhere.commit({ create: [oid(1)] });
    await watcher.invalidation(stood);
    const range = gateway.server.gate.incoming(({ method }) => method === "iterator_start");
    const ended = gateway.event("ended");
    const last = await elsewhere.commit({ create: [oid(2)], modify: [oid(1)] });
    expect(await ended).toMatchObject({ code: "unread-commit" });
    await watcher.whenClosed();
    expect(tellings(watcher)).toEqual([telling(stood, 1)]);
    range.open();
    const back = await gateway.connect();
    await back.lastTransaction();
    expect(missed(await back.getInvalidations(stood))).toEqual(telling(last, 1, 2));
  });

  it("is told as the server tells it, with `witness: off`", async () => {
    const gateway = await world({ protocol: "Z5" });
    const watcher = await gateway.connect();
    const elsewhere = await direct(gateway.server);
    const created = await elsewhere.commit({ create: [oid(1)] });
    const mixed = await elsewhere.commit({ create: [oid(2)], modify: [oid(1)] });
    await watcher.invalidation(mixed);
    expect(tellings(watcher)).toEqual([telling(created), telling(mixed, 1)]);
    expect(gateway.proxy.stats().storages).toMatchObject([{ foreign: 2, read: 0, witness: "off" }]);
  });
});

/** The tid of the last one. */
function tidOf(told: readonly { readonly tid: string }[]): Tid {
  return BigInt(`0x${told.at(-1)?.tid ?? "0"}`) as Tid;
}

function breakOff(server: EmbeddedServer, number: number | undefined): void {
  const connection = server.connections.find((one) => one.connection === number);
  if (connection === undefined) throw new Error("no such connection");
  connection.close();
}
