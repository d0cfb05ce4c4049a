import { afterEach, describe, expect, it, vi } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { StorageLedger } from "../../src/ledger/ledger.ts";
import { AnnouncementEncoder } from "../../src/storage/encoder.ts";
import { asTid } from "../../src/wire/ids.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { bytes8, oid, passes, registered, scripted, shaken, world } from "./world.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const oops = (): never => {
  throw new RangeError("nobody has thought of this");
};

describe("an unexpected error", () => {
  it.each([
    ["while a client's message is read", "beginForwarded", "client"],
    ["while a server's message is read", "lastTransactionReply", "server"],
  ] as const)("%s ends that session, never another or the process", async (_, method, side) => {
    const gateway = await scripted({}, { unforeseen: 1 });
    const bad = await registered(gateway);
    const good = await registered(gateway);
    vi.spyOn(StorageLedger.prototype, method).mockImplementationOnce(oops);
    if (side === "client") bad.client.tell("tpc_begin", 1, "", "", new Map(), null, " ");
    else {
      bad.client.call(5, "lastTransaction");
      await bad.server.expect("lastTransaction");
      bad.server.reply(5, bytes8(1000n));
    }
    await Promise.all([bad.client.end(), bad.server.end()]);
    const [line, ...more] = gateway.lines.filter(({ code }) => code === "internal-error");
    expect(more).toEqual([]);
    expect(line).toMatchObject({ level: "error", fault: "proxy", err: { message: "nobody has thought of this" } });
    expect(gateway.proxy.stats()).toMatchObject({ ended: { "internal-error": 1 } });
    await passes(good.client, good.server, good.client.encode(5, 0, "ping"));
  });

  it("while one client is told ends that session, and the others are told", async () => {
    const gateway = await world({}, { unforeseen: 1 });
    const commit = new ClientCommit(await gateway.connect());
    const watchers = await Promise.all([gateway.connect(), gateway.connect(), gateway.connect()]);
    vi.spyOn(AnnouncementEncoder.prototype, "encode").mockImplementationOnce(oops);
    const tid = await commit.commit({ create: [oid(1)] });
    const told = await Promise.allSettled(watchers.map((watcher) => watcher.invalidation(tid)));
    expect(told.map(({ status }) => status).sort()).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(gateway.proxy.stats()).toMatchObject({ ended: { "internal-error": 1 } });
    // Nobody waits for anything.
    const next = await commit.commit({ create: [oid(2)] });
    await Promise.all(watchers.filter(({ closed }) => !closed).map((watcher) => watcher.invalidation(next)));
  });

  it("while a server's reply to a tpc_finish is read leaves no commit that never ends", async () => {
    const gateway = await scripted({}, { unforeseen: 1 });
    const bad = await registered(gateway);
    const good = await registered(gateway);
    vi.spyOn(StorageLedger.prototype, "finishReply").mockImplementationOnce(oops);
    bad.client.tell("tpc_begin", 7, "", "", new Map(), null, " ");
    bad.client.tell("storea", bytes8(5n), Buffer.alloc(8), Buffer.from("x"), 7);
    bad.client.call(3, "tpc_finish", 7);
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await bad.server.expect(method);
    bad.server.reply(3, bytes8(2000n));
    await Promise.all([bad.client.end(), good.client.end()]);
    expect(gateway.proxy.stats().ended).toEqual({ "internal-error": 1, "unknown-commit": 1 });
    const next = await registered(gateway);
    next.server.tell("invalidateTransaction", bytes8(3000n), [bytes8(1n)]);
    await next.client.expect("invalidateTransaction");
  });

  it("of the ledger's clock ends nobody, and is told of", async () => {
    const gateway = await world();
    const commit = new ClientCommit(await gateway.connect());
    const watcher = await gateway.connect();
    await watcher.invalidation(await commit.commit({ create: [oid(1)] }));
    gateway.server.configure({ skipClient: () => true });
    const tick = vi.spyOn(StorageLedger.prototype, "tick").mockImplementationOnce(oops);
    await watcher.invalidation(await commit.commit({ create: [oid(2)] }), 3000);
    expect(tick).toHaveBeenCalled();
    expect(gateway.lines.filter(({ level }) => level === "error")).toMatchObject([
      { storage: "1", err: { message: "nobody has thought of this" } },
    ]);
  });
});

describe("registering", () => {
  it("may fail and be tried again, as a client does that falls back to read-only", async () => {
    const gateway = await scripted();
    const { client, server } = await shaken(gateway);
    client.call(1, "register", "1", false);
    await server.expect("register");
    server.send(server.codec.encode("pickle3", 1, 2, ".reply", ["ZODB.POSException.ReadOnlyError", []]));
    await client.expect(".reply");
    client.call(2, "register", "1", true);
    await server.expect("register");
    server.reply(2, bytes8(1000n));
    await client.expect(".reply");
    const other = await registered(gateway);
    other.client.tell("tpc_begin", 7, "", "", new Map(), null, " ");
    other.client.tell("storea", bytes8(5n), Buffer.alloc(8), Buffer.from("x"), 7);
    other.client.call(3, "tpc_finish", 7);
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await other.server.expect(method);
    other.server.reply(3, bytes8(2000n));
    server.tell("invalidateTransaction", bytes8(2000n), []);
    const { payload, envelope } = await client.expect("invalidateTransaction");
    expect(client.codec.invalidation(payload, envelope)).toMatchObject({ tid: asTid(2000n), oids: bytes8(5n) });
  });

  it("a second time is refused by the server, and changes nothing", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    client.call(2, "register", "other", false);
    await server.expect("register");
    server.send(server.codec.encode("pickle3", 2, 2, ".reply", ["builtins.ValueError", ["already registered"]]));
    await client.expect(".reply");
    server.tell("invalidateTransaction", bytes8(2000n), [bytes8(1n)]);
    await client.expect("invalidateTransaction");
    expect(gateway.proxy.stats().storages.map(({ storage }) => storage)).toEqual(["1"]);
  });
});

it("a server that can't answer the proxy's own question ends the session of the client that is owed something", async () => {
  const coding = [pickleCodec, "pickle3-zeo4"] as const;
  const gateway = await scripted({ greeting: "Z4", codec: coding[0], dialect: coding[1] });
  const [a, b] = [await registered(gateway, null, "Z4", ...coding), await registered(gateway, null, "Z4", ...coding)];
  a.client.tell("tpc_begin", 7, "", "", new Map(), null, " ");
  a.client.tell("storea", bytes8(5n), Buffer.alloc(8), Buffer.from("x"), 7);
  a.client.call(3, "tpc_finish", 7);
  for (const method of ["tpc_begin", "storea", "tpc_finish"]) await a.server.expect(method);
  a.server.reply(3, bytes8(2000n));
  const { envelope } = await b.server.expect("lastTransaction");
  b.server.reply(Number(envelope.id), null);
  await b.client.end();
  expect(gateway.proxy.stats()).toMatchObject({ questions: 1, ended: { "question-refused": 1 } });
  await passes(a.client, a.server, a.client.encode(9, 0, "ping"));
});
