import { describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { tidHex, tidTimeMs, type Tid } from "../../src/wire/ids.ts";
import { oid, world } from "./world.ts";

const REPAIRED = "invalidation repaired";
const FOREIGN =
  "a commit that did not pass through here: relayed as the server told it, perhaps without created objects";
const HELD = "a message is held for over a second";

describe("a repaired transaction", () => {
  it("is one line, whatever the number of clients, when all were told", async () => {
    const gateway = await world({}, { log: { oids: 3 } });
    const commit = new ClientCommit(await gateway.connect());
    const watchers = await Promise.all(Array.from({ length: 5 }, () => gateway.connect()));
    await commit.commit({ create: [oid(1), oid(2), oid(3)] });
    const late = gateway.server.gate.outgoing(({ kind }) => kind === "invalidation");
    const repaired = gateway.event("repaired");
    const created = [oid(11), oid(12), oid(13), oid(14)];
    const tid = await commit.commit({ create: created, modify: [oid(1)], delete: [oid(2)], restore: [oid(3)] });
    await late.caught(5);
    late.release(4);
    await gateway.until(
      () => watchers.filter((watcher) => watcher.invalidations.length === 2).length === 4,
      "four are told",
    );
    expect(gateway.told(REPAIRED).filter((line) => line["tid"] === tidHex(tid))).toEqual([]);
    late.open();
    const event = await repaired;
    const fields = {
      upstream: "door0",
      storage: "1",
      tid: tidHex(tid),
      time: new Date(tidTimeMs(tid)).toISOString(),
      repair: "completed",
      created: 4,
      restored: 1,
      deleted: 1,
      completed: 5,
      synthesized: 0,
    };
    const [line, ...more] = gateway.told(REPAIRED).filter((one) => one["tid"] === tidHex(tid));
    expect(more).toEqual([]);
    expect(line).toMatchObject({ level: "info", ...fields });
    expect(line?.["oids"]).toHaveLength(3);
    expect([oid(2), oid(3), ...created]).toEqual(expect.arrayContaining(line?.["oids"] as string[]));
    expect(event).toMatchObject({ ...fields, oids: line?.["oids"] });
    expect(Math.abs(tidTimeMs(tid) - Date.now())).toBeLessThan(60_000);
  });

  it("has the stronger word where clients differ", async () => {
    const gateway = await world();
    const commit = new ClientCommit(await gateway.connect());
    await commit.commit({ create: [oid(1)] });
    const skipped = await gateway.connect();
    await gateway.connect();
    const skippedConnection = Math.max(...gateway.server.connections.map(({ connection }) => connection)) - 1;
    gateway.server.configure({ skipClient: ({ connection }) => connection === skippedConnection });
    const repaired = gateway.event("repaired");
    const tid = await commit.commit({ create: [oid(2)], modify: [oid(1)] });
    await skipped.invalidation(tid);
    expect(await repaired).toMatchObject({ repair: "synthesized", completed: 1, synthesized: 1, created: 1 });
  });

  it("is a line as well when one who was due has left", async () => {
    const gateway = await world();
    const commit = new ClientCommit(await gateway.connect());
    const told = await gateway.connect();
    const leaving = await gateway.connect();
    const connection = Math.max(...gateway.server.connections.map((one) => one.connection));
    const late = gateway.server.gate.outgoing(
      (message) => message.kind === "invalidation" && message.connection === connection,
    );
    const tid = await commit.commit({ create: [oid(1)] });
    await told.invalidation(tid);
    await late.caught();
    expect(gateway.told(REPAIRED)).toEqual([]);
    const repaired = gateway.event("repaired");
    leaving.reset();
    expect(await repaired).toMatchObject({ completed: 1, synthesized: 0 });
  });

  it("is no line where nobody was to be told, or nothing was missing", async () => {
    const gateway = await world();
    const commit = new ClientCommit(await gateway.connect());
    await commit.commit({ create: [oid(1)] });
    const watcher = await gateway.connect();
    const tid = await commit.commit({ modify: [oid(1)] });
    await watcher.invalidation(tid);
    await watcher.lastTransaction();
    expect(gateway.told(REPAIRED)).toEqual([]);
  });

  it("is none before a patched server, which is shown as such", async () => {
    const gateway = await world({ omitCreated: false });
    const commit = new ClientCommit(await gateway.connect());
    const watcher = await gateway.connect();
    expect(gateway.proxy.stats().storages).toMatchObject([{ patched: "unknown" }]);
    const tid = await commit.commit({ create: [oid(1)] });
    await watcher.invalidation(tid);
    expect(gateway.told(REPAIRED)).toEqual([]);
    expect(gateway.proxy.stats().storages).toMatchObject([{ patched: "yes", commits: 1, known: tidHex(tid) }]);
    gateway.server.configure({ omitCreated: true });
    await watcher.invalidation(await commit.commit({ create: [oid(2)] }));
    expect(gateway.proxy.stats().storages).toMatchObject([{ patched: "no" }]);
    expect(gateway.proxy.stats()).toMatchObject({ completed: 1, synthesized: 0 });
  });
});

describe("other lines", () => {
  it("tell of messages that are held for over a second, once each", async () => {
    const gateway = await world();
    const commit = new ClientCommit(await gateway.connect());
    const watchers = [await gateway.connect(), await gateway.connect()];
    const hold = gateway.server.gate.outgoing(({ method }) => method === "tpc_finish");
    const committed = commit.commit({ create: [oid(1)] });
    await hold.caught();
    await gateway.until(() => gateway.told(HELD).length === 2, "both are told of", 4000);
    await new Promise((resolve) => setTimeout(resolve, 600));
    hold.open();
    const tid = await committed;
    await Promise.all(watchers.map((watcher) => watcher.invalidation(tid)));
    expect(gateway.told(HELD)).toHaveLength(2);
    expect(gateway.told(HELD)[0]).toMatchObject({ level: "warn", upstream: "door0", storage: "1" });
    expect(gateway.told(HELD)[0]?.["heldMs"]).toBeGreaterThanOrEqual(1000);
  });

  it("warn once an hour of commits that did not pass through here, which are counted", async () => {
    const gateway = await world();
    const watcher = await gateway.connect();
    const direct = await EmbeddedClient.connect({ port: gateway.server.port });
    const commit = new ClientCommit(direct);
    let tid = 0n as Tid;
    for (let n = 1; n < 4; n++) tid = await commit.commit({ create: [oid(n)] });
    await watcher.invalidation(tid);
    await direct.close();
    expect(gateway.told(FOREIGN)).toMatchObject([{ level: "warn", upstream: "door0", storage: "1" }]);
    expect(gateway.proxy.stats().storages).toMatchObject([{ foreign: 3, commits: 0 }]);
    expect(gateway.told(REPAIRED)).toEqual([]);
  });

  it("tell of connections at debug, with counts and duration at the end", async () => {
    const gateway = await world();
    const client = await gateway.connect();
    const watcher = await gateway.connect();
    const tid = await new ClientCommit(client).commit({ create: [oid(1)] });
    await watcher.invalidation(tid);
    await watcher.close();
    await gateway.until(() => gateway.told("client disconnected").length === 1, "the session ends");
    const [line] = gateway.told("client disconnected");
    expect(line).toMatchObject({
      level: "debug",
      upstream: "door0",
      protocol: "Z5",
      storage: "1",
      completed: 1,
      synthesized: 0,
    });
    expect(gateway.told("client connected").map((one) => one["client"])).toContain(line?.["client"]);
    for (const key of ["fromClient", "fromServer", "durationMs"]) expect(line?.[key]).toBeGreaterThan(0);
  });

  it("show no payload, and escape what clients say", async () => {
    const gateway = await world();
    const secret = "s3cret-payload";
    const writer = await gateway.connect();
    await gateway.connect();
    const commit = new ClientCommit(writer);
    await commit.commit({ create: [oid(1)], data: Buffer.from(secret) });
    const odd = await gateway.connect({ register: false });
    await odd.register("no\nsuch\u001b[31m", false).catch(() => undefined);
    odd.sendPayload(Buffer.from(`\xff${secret}`));
    await odd.whenClosed();
    await gateway.until(() => gateway.told("client disconnected").length === 1, "the session ends");
    const all = gateway.lines.map((line) => JSON.stringify(line)).join("\n");
    expect(all).not.toContain(secret);
    expect(all).not.toMatch(/\\u001b|\\n/);
  });
});

describe("a listener that throws", () => {
  it("comes between nothing that the proxy does", async () => {
    const gateway = await world();
    const thrown: unknown[] = [];
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => thrown.push(error));
    try {
      gateway.proxy.prependListener("repaired", () => {
        throw new Error("the owner's");
      });
      const commit = new ClientCommit(await gateway.connect());
      const watchers = [await gateway.connect(), await gateway.connect()];
      const tids = [await commit.commit({ create: [oid(1)] }), await commit.commit({ create: [oid(2)] })];
      for (const watcher of watchers) for (const tid of tids) await watcher.invalidation(tid);
      await gateway.until(() => thrown.length === 2, "the errors surface");
      expect(gateway.ended).toEqual([]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of before) process.on("uncaughtException", listener);
    }
  });
});
