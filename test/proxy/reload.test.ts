import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ClientCommit, numberRecord } from "../../src/embedded/client-commit.ts";
import { createProxy, ConfigError, ListenError } from "../../src/index.ts";
import { NO_TID } from "../../src/wire/ids.ts";
import { freePort } from "../net/free-port.ts";
import { client, commits, door, LIMITS, names, refused, started } from "./reloaded.ts";
import { embeddedServer, oid } from "./world.ts";

describe("a reload", () => {
  it("opens what is new, closes what is gone, and leaves the others' clients alone", async () => {
    const [one, two] = [await embeddedServer(), await embeddedServer()];
    const stays = await door("stays", one.port);
    const goes = await door("goes", two.port);
    const { proxy, reload } = await started([stays, goes]);
    const [writer, watcher, leaves] = [await client(stays.port), await client(stays.port), await client(goes.port)];
    const comes = await door("comes", two.port);
    expect(await reload([comes, stays])).toEqual({
      opened: ["comes"],
      reopened: [],
      closed: ["goes"],
      renamed: [],
      changed: [],
      needRestart: [],
    });
    await leaves.whenClosed();
    await refused(goes.port);
    expect(names(proxy)).toEqual(["comes listening", "stays listening"]);
    await commits(writer, 1, watcher);
    await commits(await client(comes.port), 2, await client(comes.port));
    expect([writer.closed, watcher.closed]).toEqual([false, false]);
    // What was known of a server that nobody has any more is forgotten.
    expect(proxy.stats().storages).toHaveLength(2);
    await reload([stays]);
    expect(proxy.stats().storages).toHaveLength(1);
  });

  it("that closes an upstream lets a commit on its way settle, and accepts nobody meanwhile", async () => {
    const server = await embeddedServer();
    const [stays, goes] = [await door("stays", server.port), await door("goes", server.port)];
    const { reload } = await started([stays, goes]);
    const [writer, watcher, other] = [await client(goes.port), await client(goes.port), await client(stays.port)];
    const hold = server.gate.outgoing(({ method }) => method === "tpc_finish");
    const committed = new ClientCommit(writer).commit({ create: [oid(1)] });
    await hold.caught();
    const reloaded = reload([stays]);
    while (
      await client(goes.port)
        .then((late) => late.close().then(() => true))
        .catch(() => false)
    );
    expect([writer.closed, watcher.closed]).toEqual([false, false]);
    hold.open();
    const tid = await committed;
    for (const told of [watcher, other]) expect(await told.invalidation(tid)).toMatchObject({ oids: [oid(1)] });
    await reloaded;
    await Promise.all([writer.whenClosed(), watcher.whenClosed()]);
    // The storage is the other upstream's, too.
    await commits(other, 2, await client(stays.port));
  });

  it("gives up a client of a closed upstream that has voted and not finished, at once", async () => {
    const server = await embeddedServer();
    const [stays, goes] = [await door("stays", server.port), await door("goes", server.port)];
    const { reload } = await started([stays, goes]);
    const voter = await client(goes.port);
    const commit = new ClientCommit(voter);
    commit.begin();
    commit.store(oid(1), NO_TID, numberRecord(1));
    await commit.vote();
    await reload([stays]);
    await voter.whenClosed();
    await commits(await client(stays.port), 2);
  });

  it("waits no longer than limits.drain for what it closes: the one that holds until then", async () => {
    const server = await embeddedServer();
    const [stays, goes] = [await door("stays", server.port), await door("goes", server.port)];
    const { reload } = await started([stays, goes], { limits: { drain: "1h" } });
    const writer = await client(goes.port);
    const hold = server.gate.outgoing(({ method }) => method === "tpc_finish");
    const committed = new ClientCommit(writer).commit({ create: [oid(1)] }).catch((error: unknown) => error);
    await hold.caught();
    await reload([stays], { limits: { drain: "100ms" } });
    expect(await committed).toBeInstanceOf(Error);
    hold.open();
  });

  it("opens an upstream anew that leads elsewhere now: on the same address, as soon as it is free", async () => {
    const [one, two] = [await embeddedServer(), await embeddedServer()];
    const before = await door("main", one.port);
    const { proxy, reload } = await started([before]);
    const [port, old] = [before.port, await client(before.port)];
    await commits(old, 1);
    expect(await reload([{ ...before, server: `127.0.0.1:${two.port}` }])).toMatchObject({ reopened: ["main"] });
    await old.whenClosed();
    await commits(await client(port), 2, await client(port));
    expect(proxy.stats()).toMatchObject({ upstreams: [{ clients: 2, accepted: 2 }], storages: [{ commits: 1 }] });
  });

  it("takes an address that one has left when its clients have gone: two that change places", async () => {
    const [one, two] = [await embeddedServer(), await embeddedServer()];
    const [a, b] = [await door("a", one.port), await door("b", two.port)];
    const { proxy, reload } = await started([a, b]);
    const clients = [await client(a.port), await client(b.port)];
    expect(
      await reload([
        { ...a, listen: b.listen },
        { ...b, listen: a.listen },
      ]),
    ).toMatchObject({
      reopened: ["a", "b"],
    });
    for (const old of clients) await old.whenClosed();
    await commits(await client(b.port), 1);
    const known = proxy.stats().storages.filter(({ commits: made }) => made > 0);
    expect(known).toMatchObject([{ server: `127.0.0.1:${one.port}` }]);
  });

  it("tells of an address that somebody took meanwhile, and has it when that has gone", async () => {
    const [one, two] = [await embeddedServer(), await embeddedServer()];
    const before = await door("main", one.port);
    const { gateway, proxy, reload } = await started([before]);
    const writer = await client(before.port);
    const hold = one.gate.outgoing(({ method }) => method === "tpc_finish");
    const committed = new ClientCommit(writer).commit({ create: [oid(1)] });
    await hold.caught();
    const reloaded = reload([{ ...before, server: `127.0.0.1:${two.port}` }]);
    await expect.poll(() => names(proxy)).toEqual(["main starting"]);
    const thief = createServer();
    await expect
      .poll(
        () =>
          new Promise((done) =>
            thief.once("error", () => done(false)).listen(before.port, "127.0.0.1", () => done(true)),
          ),
      )
      .toBe(true);
    hold.open();
    await committed;
    await reloaded;
    expect(names(proxy)).toEqual(["main blocked"]);
    expect(gateway.told("the listening address can't be had: trying again")).toMatchObject([{ reason: "EADDRINUSE" }]);
    const listening = gateway.event("listening");
    thief.close();
    await listening;
    await commits(await client(before.port), 2);
  });

  it("keeps what is known of a server whose upstream only listens elsewhere now", async () => {
    const server = await embeddedServer();
    const before = await door("main", server.port);
    const { proxy, reload } = await started([before]);
    await commits(await client(before.port), 1);
    const after = await freePort();
    await reload([{ ...before, listen: `127.0.0.1:${after}` }]);
    await refused(before.port);
    await commits(await client(after), 2);
    expect(proxy.stats().storages).toMatchObject([{ commits: 2 }]);
  });

  it("begins anew where a witness is wanted now", async () => {
    const server = await embeddedServer();
    const before = await door("main", server.port);
    const { proxy, reload } = await started([before]);
    await commits(await client(before.port), 1);
    expect(proxy.stats().storages).toMatchObject([{ witness: "off", commits: 1 }]);
    await reload([{ ...before, witness: "on" }]);
    await commits(await client(before.port), 2);
    expect(proxy.stats().storages).toMatchObject([{ witness: "up", commits: 1 }]);
  });

  it("renames an upstream without touching a connection: lines about present clients have the new name", async () => {
    const server = await embeddedServer();
    const before = await door("before", server.port);
    const { proxy, gateway, reload } = await started([before]);
    const [writer, watcher] = [await client(before.port), await client(before.port)];
    expect(await reload([{ ...before, name: "after" }])).toMatchObject({ renamed: [{ from: "before", to: "after" }] });
    const repaired = gateway.event("repaired");
    await commits(writer, 1, watcher);
    expect(await repaired).toMatchObject({ upstream: "after" });
    expect(names(proxy)).toEqual(["after listening"]);
    await watcher.close();
    await gateway.until(() => gateway.told("client disconnected").length > 0, "the end of a client");
    expect(gateway.told("client disconnected")).toMatchObject([{ upstream: "after" }]);
  });
});

describe("a reload that is refused", () => {
  it("as an address is in use changes nothing, and leaves nothing open", async () => {
    const server = await embeddedServer();
    const stays = await door("stays", server.port);
    const { proxy, reload } = await started([stays]);
    const [writer, watcher] = [await client(stays.port), await client(stays.port)];
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const [fine, bad] = [await door("fine", server.port), await door("bad", server.port)];
    const error: unknown = await reload([fine, { ...bad, listen: `127.0.0.1:${port}` }], {
      limits: { clients: 1 },
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({ code: "EADDRINUSE", message: expect.stringContaining("upstream bad: ") as string });
    await refused(fine.port);
    expect(names(proxy)).toEqual(["stays listening"]);
    await commits(writer, 1, watcher);
    expect(proxy.status().proxy.clients.limit).toBe(10_000);
    // The next one is another one.
    expect(await reload([stays, fine])).toMatchObject({ opened: ["fine"] });
    await client(fine.port);
  });

  it("as it is wrong changes nothing", async () => {
    const server = await embeddedServer();
    const stays = await door("stays", server.port);
    const { proxy, reload } = await started([stays]);
    await expect(reload([stays, stays], { limits: { memory: "64" } })).rejects.toThrow(ConfigError);
    await expect(reload([])).rejects.toThrow(ConfigError);
    expect(names(proxy)).toEqual(["stays listening"]);
  });
});

describe("reloads", () => {
  it("come one after the other, behind the start", async () => {
    const server = await embeddedServer();
    const [a, b, c] = [await door("a", server.port), await door("b", server.port), await door("c", server.port)];
    const proxy = createProxy({ upstreams: [a], limits: LIMITS });
    onTestFinished(() => proxy.stop());
    await expect(proxy.reload({ upstreams: [b] })).rejects.toThrow("not been started");
    const start = proxy.start();
    const [first, second] = [proxy.reload({ upstreams: [b] }), proxy.reload({ upstreams: [c, b] })];
    await start;
    expect(await first).toMatchObject({ opened: ["b"], closed: ["a"] });
    expect(await second).toMatchObject({ opened: ["c"], closed: [] });
    expect(names(proxy)).toEqual(["c listening", "b listening"]);
  });

  it("are refused behind a stop, and one that waits for a commit does not keep a stop from its end", async () => {
    const server = await embeddedServer();
    const [stays, goes, comes] = [
      await door("stays", server.port),
      await door("goes", server.port),
      await door("comes", server.port),
    ];
    const { proxy, reload } = await started([stays, goes], { limits: { drain: "300ms" } });
    const writer = await client(goes.port);
    const hold = server.gate.outgoing(({ method }) => method === "tpc_finish");
    void new ClientCommit(writer).commit({ create: [oid(1)] }).catch(() => undefined);
    await hold.caught();
    const reloaded = reload([stays, comes], { limits: { drain: "1h" } }).catch((error: unknown) => error);
    // What is new does not wait for what goes.
    await expect.poll(() => names(proxy)).toEqual(["stays listening", "comes listening", "goes stopped"]);
    const stopped = proxy.stop();
    hold.open();
    await stopped;
    expect(await reloaded).toMatchObject({ message: "this proxy was stopped" });
    await expect(reload([stays])).rejects.toThrow("this proxy was stopped");
    for (const { port } of [stays, goes, comes]) await refused(port);
    expect(proxy.status().proxy.clients.count).toBe(0);
  });
});

describe("what acts at once", () => {
  it("limits.clients: nobody is ended, nobody is accepted until there is room, and it is told", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const { proxy, gateway, reload } = await started([main]);
    const clients = [await client(main.port), await client(main.port), await client(main.port)];
    expect(await reload([main], { limits: { clients: 2 } })).toMatchObject({ changed: ["limits.clients"] });
    expect(names(proxy)).toEqual(["main full"]);
    await refused(main.port);
    expect(gateway.told("limits.clients is reached: not listening")).toMatchObject([{ clients: 3 }]);
    expect(clients.map(({ closed }) => closed)).toEqual([false, false, false]);
    await clients[0]?.close();
    await gateway.until(() => proxy.status().proxy.clients.count === 2, "two are left");
    expect(names(proxy)).toEqual(["main full"]);
    const listening = gateway.event("listening");
    await reload([main], { limits: { clients: 3 } });
    await listening;
    await client(main.port);
  });

  it("limits.history, up and down", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const { proxy, reload } = await started([main], { limits: { history: "2KiB" } });
    const writer = await client(main.port);
    const known = () => proxy.status().storages[0]?.history.transactions ?? 0;
    for (let n = 1; n <= 10; n++) await commits(writer, n);
    expect(known()).toBeLessThan(6);
    await reload([main], { limits: { history: "1MiB" } });
    for (let n = 11; n <= 30; n++) await commits(writer, n);
    expect(known()).toBeGreaterThanOrEqual(20);
    await reload([main], { limits: { history: "1KiB" } });
    expect(known()).toBeLessThan(4);
  });

  it("log.repairs and log.oids", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const { gateway, reload } = await started([main]);
    const [writer, watcher] = [await client(main.port), await client(main.port)];
    await commits(writer, 1, watcher);
    const each = () => gateway.told("invalidation repaired");
    expect(each()).toMatchObject([{ oids: [oid(1)] }]);
    await reload([main], { log: { oids: 0 } });
    await commits(writer, 2, watcher);
    expect(each()[1]).toMatchObject({ oids: [] });
    await reload([main], { log: { repairs: "summary" } });
    await commits(writer, 3, watcher);
    expect(each()).toHaveLength(2);
    expect(await reload([main], { log: { repairs: "each", format: "json" } })).toMatchObject({
      changed: ["log.repairs"],
      needRestart: ["log.format"],
    });
    expect(gateway.told("invalidations repaired")).toMatchObject([{ transactions: 1 }]);
    await commits(writer, 4, watcher);
    expect(each()).toHaveLength(3);
  });

  it("unknown-protocol and limits.handshake", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const { gateway, reload } = await started([main], { "unknown-protocol": "refuse" });
    const unknown = async () => {
      const peer = await gateway.peer();
      await peer.frame();
      peer.send(Buffer.from("Z9"));
      return peer;
    };
    await (await unknown()).end();
    expect(gateway.ended).toMatchObject([{ code: "unknown-protocol" }]);
    await reload([main]);
    const relayed = await unknown();
    await gateway.until(
      () => gateway.proxy.stats().upstreams[0]?.unrepaired["unknown-protocol"] === 1,
      "it is relayed",
    );
    relayed.socket.destroy();
    await reload([main], { limits: { handshake: "1s" } });
    const ended = gateway.event("ended");
    await (await gateway.peer()).frame();
    expect(await ended).toMatchObject({ code: "not-registered" });
  });

  it("what the program has of its own: onReload is called when all acts, with the whole configuration", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const levels: string[] = [];
    const proxy = createProxy({ upstreams: [main] }, { onReload: ({ log }) => levels.push(log.level) });
    onTestFinished(() => proxy.stop());
    await proxy.start();
    await proxy.reload({ upstreams: [main], log: { level: "debug" } });
    expect(levels).toEqual(["debug"]);
  });
});

it("the state has what is going on: finishing commits, history, and who has most kept for it", async () => {
  const server = await embeddedServer();
  const main = await door("main", server.port);
  const { proxy } = await started([main]);
  const [writer] = [await client(main.port), await client(main.port)];
  await commits(writer, 1);
  const hold = server.gate.outgoing(({ method }) => method === "tpc_finish");
  const committed = new ClientCommit(writer).commit({ create: [oid(2)] });
  await hold.caught();
  const { proxy: process, storages, upstreams } = proxy.status();
  expect(process).toMatchObject({ clients: { count: 2, limit: 10_000 }, memory: { limitBytes: 512 * 1024 * 1024 } });
  expect(storages).toMatchObject([{ storage: "1", finishing: 1, commits: 1, history: { transactions: 1 } }]);
  expect(upstreams).toMatchObject([{ name: "main", clients: { count: 2, omitted: 0 } }]);
  expect(upstreams[0]?.clients.list[0]).toMatchObject({ state: "registered", protocol: "Z5", storage: "1" });
  hold.open();
  await committed;
});

it("what a reload opens has the keep-alive of that configuration", async () => {
  const server = await embeddedServer({ protocol: "Z5" });
  const [one, two] = [await door("one", server.port), await door("two", server.port)];
  const { reload } = await started([one]);
  await reload([one, two], { "keep-alive": "40s" });
  const set = vi.spyOn(Socket.prototype, "setKeepAlive");
  onTestFinished(() => set.mockRestore());
  await client(two.port);
  expect(set.mock.calls).toContainEqual([true, 30_000]);
});
