import { connect, createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { createProxy, ListenError } from "../../src/index.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { NO_TID } from "../../src/wire/ids.ts";
import { ScriptedServer } from "./peer.ts";
import {
  bytes8,
  gatewayTo,
  embeddedServer,
  oid,
  registered,
  scripted,
  shaken,
  telling,
  tellings,
  world,
  type Gateway,
  type Pair,
} from "./world.ts";
import { freePort } from "../net/free-port.ts";

const DOWN = "the server is down: not listening";
const BACK = "the server is back";

const state = (gateway: Gateway) => gateway.proxy.stats().upstreams[0]?.state;

async function refuses(gateway: Gateway): Promise<boolean> {
  try {
    (await gateway.peer()).socket.destroy();
    return false;
  } catch {
    return true;
  }
}

describe("a server that is down", () => {
  it("at the start is no error: the proxy listens when it comes, on the port that it had chosen", async () => {
    const port = await freePort();
    const gateway = await gatewayTo(port);
    expect(state(gateway)).toBe("down");
    const chosen = gateway.port();
    expect(await refuses(gateway)).toBe(true);
    const listening = gateway.event("listening");
    const server = new EmbeddedServer({ port });
    await server.start();
    onTestFinished(() => server.close());
    expect(await listening).toEqual({ upstream: "door0", address: `127.0.0.1:${chosen}` });
    await gateway.connect();
    expect(gateway.told(DOWN)).toMatchObject([{ level: "error", upstream: "door0" }]);
    expect(gateway.told(BACK)).toHaveLength(1);
  });

  it("goes down with all its connections, and comes back", async () => {
    const gateway = await world();
    const chosen = gateway.port();
    const clients = [await gateway.connect(), await gateway.connect()];
    const down = gateway.event("down");
    await gateway.server.close();
    await Promise.all(clients.map((client) => client.whenClosed()));
    expect(await down).toMatchObject({ upstream: "door0" });
    expect(await refuses(gateway)).toBe(true);
    const listening = gateway.event("listening");
    await gateway.server.start();
    await listening;
    expect(gateway.port()).toBe(chosen);
    await gateway.connect();
    expect(gateway.told(DOWN)).toHaveLength(1);
    expect(gateway.told(BACK)).toHaveLength(1);
    expect(gateway.ended).toEqual([]);
  });

  it("is found out by a client whose dial is refused", async () => {
    const gateway = await scripted();
    gateway.server.close();
    const down = gateway.event("down");
    const client = await gateway.peer();
    await down;
    expect(state(gateway)).toBe("down");
    expect(gateway.told(DOWN)).toMatchObject([{ reason: "ECONNREFUSED" }]);
    client.socket.destroy();
  });

  it("keeps a client that was accepted just before, and serves it when it is back soon", async () => {
    const gateway = await scripted();
    gateway.server.close();
    const down = gateway.event("down");
    const client = EmbeddedClient.connect({ port: gateway.port() });
    await down;
    const server = new EmbeddedServer({ port: gateway.server.port });
    await server.start();
    onTestFinished(() => server.close());
    const served = await client;
    onTestFinished(() => served.destroy());
    expect(state(gateway)).toBe("listening");
    expect(await served.lastTransaction()).toBe(NO_TID);
  });

  it("is one that has greeted, and then accepts and stays silent for limits.handshake", async () => {
    const gateway = await scripted({}, { limits: { handshake: "200ms" } });
    gateway.server.greeting = undefined;
    const client = await gateway.peer();
    await client.end();
    expect(state(gateway)).toBe("down");
    expect(gateway.told(DOWN)).toMatchObject([{ reason: "silent" }]);
    // It is still silent, so it stays down: a try of the proxy's own has ended in vain.
    gateway.server.forget();
    await (await gateway.server.accept()).end();
    await (await gateway.server.accept()).end();
    expect(state(gateway)).toBe("down");
    expect(gateway.told(DOWN)).toHaveLength(1);
    gateway.server.greeting = "Z5";
    await gateway.event("listening");
  });

  it("is not one that waits for its clients to speak", async () => {
    const gateway = await scripted({ greeting: undefined }, { limits: { handshake: "200ms" } });
    const idle = await gateway.peer();
    await idle.end();
    expect(state(gateway)).toBe("listening");
    expect(gateway.told(DOWN)).toEqual([]);
  });

  it("is not one that ends its only connection and answers the next", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    server.socket.end();
    await client.end();
    // The proxy looks for itself, and listens meanwhile.
    await gateway.server.accept();
    await registered(gateway);
    expect(gateway.told("listening")).toHaveLength(1);
    expect(gateway.told(DOWN)).toEqual([]);
    expect(gateway.told(BACK)).toEqual([]);
  });

  it("is not one whose last client has left with a reset", async () => {
    const gateway = await world();
    const client = await gateway.connect();
    client.reset();
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "the session ends");
    expect(gateway.told("listening")).toHaveLength(1);
  });

  it("is not one that does not understand a client", async () => {
    const gateway = await world();
    const client = await gateway.peer();
    client.send(Buffer.from("nonsense"));
    await client.end();
    client.socket.end();
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "the session ends");
    expect(gateway.told("listening")).toHaveLength(1);
  });

  it("delivers first what its clients may still have", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    client.call(2, "tpc_begin", 9, "", "", new Map(), null, " ");
    client.call(3, "tpc_finish", 9);
    await server.expect("tpc_begin");
    await server.expect("tpc_finish");
    server.reply(3, Buffer.from("0000000000002000", "hex"));
    server.tell("info", new Map());
    server.socket.end();
    expect((await client.message()).envelope).toMatchObject({ id: 3 });
    expect((await client.message()).envelope).toMatchObject({ method: "info" });
    await client.end();
  });
});

describe("a server connection that ends while its client is owed something", () => {
  it.each(["ended", "destroyed"])(
    "is %s, and the client still gets it, when the others' commits are over",
    async (how) => {
      const gateway = await scripted();
      const [a, b] = [await registered(gateway), await registered(gateway)];
      begins(a, 9);
      for (const method of ["tpc_begin", "storea", "tpc_finish"]) await a.server.expect(method);
      b.client.call(5, "lastTransaction");
      await b.server.expect("lastTransaction");
      b.server.tell("invalidateTransaction", tidBytes(2000), []);
      b.server.reply(5, tidBytes(2000));
      // The proxy has read both: it has answered what came behind them on another connection.
      const probe = await registered(gateway, 2000n);
      if (how === "ended") b.server.socket.end();
      else b.server.socket.destroySoon();
      await b.server.end();
      probe.client.call(6, "ping");
      await probe.server.expect("ping");
      expect(b.client.ended).toBe(false);
      expect(b.client.waiting).toHaveLength(0);
      a.server.reply(9, tidBytes(2000));
      const { payload, envelope } = await b.client.expect("invalidateTransaction");
      expect(b.client.codec.invalidation(payload, envelope).oids.equals(Buffer.alloc(8, 1))).toBe(true);
      expect((await b.client.expect(".reply")).envelope.id).toBe(5);
      await b.client.end();
      expect(gateway.ended).toEqual([]);
    },
  );
});

/** A transaction that creates object 0101..., up to its `tpc_finish`. */
function begins({ client }: Pair, id: number): void {
  client.tell("tpc_begin", id, "", "", new Map(), null, " ");
  client.tell("storea", Buffer.alloc(8, 1), Buffer.alloc(8), Buffer.from("x"), id);
  client.call(id, "tpc_finish", id);
}

const tidBytes = (value: number): Buffer => bytes8(BigInt(value));

describe("a server connection that breaks with a tpc_finish on its way", () => {
  it.each([
    ["Z5", "closed"],
    ["Z5", "reset"],
    ["Z4", "closed"],
    ["Z4", "reset"],
  ] as const)("ends the storage's other sessions (%s, %s), so that they verify", async (name, how) => {
    const old = name === "Z4";
    const gateway = await scripted({ greeting: name });
    const a = await registered(gateway, old ? null : 1000n, name);
    const b = await registered(gateway, old ? null : 1000n, name);
    a.client.tell("tpc_begin", 9, "", "", new Map(), null, " ");
    a.client.tell("storea", Buffer.alloc(8, 1), Buffer.alloc(8), Buffer.from("x"), 9);
    a.client.call(3, "tpc_finish", 9);
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await a.server.expect(method);
    if (how === "closed") a.server.socket.destroy();
    else a.server.socket.resetAndDestroy();
    await Promise.all([a.client.end(), b.client.end(), b.server.end()]);
    expect(gateway.proxy.stats().ended).toEqual({ "unknown-commit": 1 });
    expect(gateway.lines.filter(({ code }) => code === "unknown-commit")).toMatchObject([{ level: "warn" }]);
    // Its oids are added to what nobody explains.
    const c = await registered(gateway, old ? null : 1000n, name);
    c.server.tell("invalidateTransaction", Buffer.alloc(8, 2), [Buffer.alloc(8, 5)]);
    const { payload, envelope } = await c.client.expect("invalidateTransaction");
    const { oids } = c.client.codec.invalidation(payload, envelope);
    expect(oids.equals(Buffer.concat([Buffer.alloc(8, 5), Buffer.alloc(8, 1)]))).toBe(true);
  });

  it("so does a server whose bytes can't be followed any more", async () => {
    const gateway = await scripted();
    const a = await registered(gateway);
    const b = await registered(gateway);
    a.client.tell("tpc_begin", 9, "", "", new Map(), null, " ");
    a.client.tell("storea", Buffer.alloc(8, 1), Buffer.alloc(8), Buffer.from("x"), 9);
    a.client.call(3, "tpc_finish", 9);
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await a.server.expect(method);
    a.server.send(Buffer.alloc(50, 0xff));
    await Promise.all([a.client.end(), b.client.end()]);
    expect(gateway.proxy.stats().ended).toEqual({ "bad-pickle": 1, "unknown-commit": 1 });
    // Nobody waits for that commit any more.
    const c = await registered(gateway);
    c.client.call(2, "lastTransaction");
    await c.server.expect("lastTransaction");
    c.server.reply(2, Buffer.from("00000000000003e8", "hex"));
    await c.client.expect(".reply");
  });

  it("is not one that its client's own nonsense has ended: its reply is read, and the commit settles", async () => {
    const gateway = await scripted();
    const [a, b] = [await registered(gateway), await registered(gateway)];
    begins(a, 9);
    a.client.send(Buffer.alloc(50, 0xff));
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await a.server.expect(method);
    await a.client.end();
    expect(a.server.ended).toBe(false);
    a.server.reply(9, tidBytes(2000));
    b.server.tell("invalidateTransaction", tidBytes(2000), []);
    const { payload, envelope } = await b.client.expect("invalidateTransaction");
    expect(b.client.codec.invalidation(payload, envelope).oids.equals(Buffer.alloc(8, 1))).toBe(true);
    await a.server.end();
    expect(gateway.proxy.stats().ended).toEqual({ "bad-pickle": 1 });
  });

  it("is not begun by a client that goes on after its server has gone", async () => {
    const gateway = await scripted();
    const a = await registered(gateway);
    const b = await registered(gateway);
    // A's client gets something that keeps its way open, and commits into the void.
    a.client.socket.pause();
    a.server.socket.end();
    await a.server.end();
    a.client.tell("tpc_begin", 9, "", "", new Map(), null, " ");
    a.client.call(3, "tpc_finish", 9);
    a.client.socket.resume();
    await a.client.end();
    b.server.tell("invalidateTransaction", Buffer.from("0000000000002000", "hex"), [Buffer.alloc(8, 5)]);
    await b.client.expect("invalidateTransaction");
  });
});

describe("a probe", () => {
  it.each(["closes", "resets"] as const)("that connects and %s at once leaves no trace", async (how) => {
    const gateway = await world();
    const probes = Array.from({ length: 60 }, () => connect({ port: gateway.port(), host: "127.0.0.1" }));
    await Promise.all(
      probes.map(async (probe) => {
        await once(probe, "connect");
        if (how === "closes") probe.end();
        else probe.resetAndDestroy();
      }),
    );
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.accepted === 60, "all are accepted");
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "none is left");
    await gateway.until(() => gateway.server.connections.length === 0, "the server has none either");
    for (const probe of probes) probe.destroy();
  });
});

describe("a proxy that is full", () => {
  it("does not listen, and listens again when a client leaves", async () => {
    const gateway = await world({}, { limits: { clients: 2 } });
    const first = await gateway.connect();
    await gateway.connect();
    expect(state(gateway)).toBe("full");
    expect(await refuses(gateway)).toBe(true);
    const listening = gateway.event("listening");
    await first.close();
    await listening;
    await gateway.connect();
    expect(state(gateway)).toBe("full");
    expect(gateway.told("listening")).toHaveLength(2);
    expect(gateway.told(DOWN)).toEqual([]);
  });

  it("listens again once, however many leave together", async () => {
    const gateway = await world({}, { limits: { clients: 2 } });
    const clients = [await gateway.connect(), await gateway.connect()];
    for (const client of clients) client.reset();
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "the sessions end");
    await gateway.until(() => state(gateway) === "listening", "it listens");
    await gateway.connect();
    expect(gateway.told("listening")).toHaveLength(2);
  });

  it("counts the clients of all its upstreams", async () => {
    const gateway = await world({}, { doors: 2, limits: { clients: 2 } });
    const one = await gateway.connect({ door: 0 });
    await gateway.connect({ door: 1 });
    expect(gateway.proxy.stats().upstreams.map((upstream) => upstream.state)).toEqual(["full", "full"]);
    const doors = new Set<string>();
    const both = new Promise<void>((resolve) => {
      gateway.proxy.on("listening", ({ upstream }) => {
        doors.add(upstream);
        if (doors.size === 2) resolve();
      });
    });
    one.destroy();
    await both;
  });

  it("survives clients that come and go all at once", async () => {
    const gateway = await world({}, { limits: { clients: 3 } });
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.allSettled(
        Array.from({ length: 6 }, () => EmbeddedClient.connect({ port: gateway.port(), timeoutMs: 500 })),
      );
      for (const result of clients) if (result.status === "fulfilled") await result.value.close();
      await gateway.until(() => state(gateway) === "listening", "it listens again");
    }
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "all sessions end");
    expect(gateway.told(DOWN)).toEqual([]);
  });
});

describe("two upstreams", () => {
  it("that name one server share what is known of it", async () => {
    const gateway = await world({ protocol: "Z4" }, { doors: 2 });
    const commit = new ClientCommit(await gateway.connect({ door: 0 }));
    const watcher = await gateway.connect({ door: 1 });
    const tid = await commit.commit({ create: [oid(1)] });
    await watcher.invalidation(tid);
    expect(tellings(watcher)).toEqual([telling(tid, 1)]);
    expect(gateway.proxy.stats().storages).toMatchObject([{ storage: "1", commits: 1, foreign: 0 }]);
  });

  it("that name it by a name and by an address, too", async () => {
    const server = await embeddedServer({ host: "127.0.0.1" });
    const upstreams = ["localhost", "127.0.0.1"].map((host) => ({
      listen: "127.0.0.1:0",
      server: `${host}:${server.port}`,
    }));
    const proxy = createProxy({ upstreams });
    onTestFinished(() => proxy.stop());
    await proxy.start();
    const [one, two] = proxy.stats().upstreams.map(({ listen }) => Number(listen?.split(":").at(-1)));
    const a = await EmbeddedClient.connect({ port: one ?? 0 });
    const b = await EmbeddedClient.connect({ port: two ?? 0 });
    onTestFinished(() => Promise.all([a.close(), b.close()]).then(() => undefined));
    const tid = await new ClientCommit(a).commit({ create: [oid(1)] });
    expect(await b.invalidation(tid)).toMatchObject({ oids: [oid(1)] });
    expect(proxy.stats().storages).toHaveLength(1);
  });
});

describe("start", () => {
  it("rejects with a ListenError, and leaves nothing open", async () => {
    const server = await embeddedServer();
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const free = await freePort();
    const to = `127.0.0.1:${server.port}`;
    const proxy = createProxy({
      upstreams: [
        { listen: `127.0.0.1:${free}`, server: to },
        { listen: `127.0.0.1:${port}`, server: to },
      ],
    });
    await expect(proxy.start()).rejects.toThrow(ListenError);
    await expect(proxy.start()).rejects.toThrow("started before");
    const again = createServer().listen(free, "127.0.0.1");
    await once(again, "listening");
    again.close();
    expect(proxy.stats().upstreams.map((upstream) => upstream.state)).toEqual(["stopped", "stopped"]);
    await proxy.stop();
  });

  it("works over IPv6", async () => {
    const server = await embeddedServer({ host: "::1" });
    const proxy = createProxy({ upstreams: [{ listen: "[::1]:0", server: `[::1]:${server.port}` }] });
    onTestFinished(() => proxy.stop());
    await proxy.start();
    const { listen } = proxy.stats().upstreams[0] ?? {};
    expect(listen).toMatch(/^\[::1\]:\d+$/);
    const client = await EmbeddedClient.connect({ host: "::1", port: Number(listen?.split(":").at(-1)) });
    onTestFinished(() => client.close());
    expect(await client.lastTransaction()).toBe(0n);
  });

  it("that is overtaken by a stop leaves nothing open", async () => {
    const server = await embeddedServer();
    const proxy = createProxy({ upstreams: [{ listen: "127.0.0.1:0", server: `127.0.0.1:${server.port}` }] });
    const started = proxy.start().catch(() => undefined);
    await proxy.stop();
    await started;
    expect(proxy.stats().upstreams.every((upstream) => upstream.state === "stopped")).toBe(true);
  });

  it("of a silent server is ended by a stop", async () => {
    const silent = await ScriptedServer.start({ greeting: undefined });
    const proxy = createProxy({ upstreams: [{ listen: "127.0.0.1:0", server: `127.0.0.1:${silent.port}` }] });
    const started = proxy.start();
    await silent.accept();
    const before = Date.now();
    await proxy.stop();
    await started;
    expect(Date.now() - before).toBeLessThan(500);
    expect(proxy.stats().upstreams[0]?.state).toBe("stopped");
  });
});

describe("a session's end", () => {
  it("on the client's side is passed on as a half-close, and the answer still comes", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    client.call(5, "ping");
    client.socket.end();
    await server.expect("ping");
    await server.end();
    server.reply(5, null);
    await client.expect(".reply");
    server.socket.end();
    await client.end();
  });

  it("on the server's side is passed on before anyone registered", async () => {
    const gateway = await scripted();
    const { client, server } = await shaken(gateway);
    server.socket.end();
    await client.end();
    client.call(5, "ping");
    await server.expect("ping");
    client.socket.end();
    await server.end();
  });
});
