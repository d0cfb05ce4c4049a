import { describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { NO_TID, tidHex } from "../../src/wire/ids.ts";
import { bytes8, oid, registered, scripted, world, type Gateway, type Line } from "../proxy/world.ts";

// What somebody needs of the log who was woken up: which client, what exactly, and is it over?

const TOO_OLD = "getInvalidations answered None: the history does not reach back so far";
const SERVER_TOO_OLD = "getInvalidations answered None: the server itself does not reach back so far";

const LIMBO = "a transaction whose fate nobody knows: no reply to its tpc_finish, or an exception";

/** The newest client's address, as the log has it. */
function newest(gateway: Gateway): unknown {
  return gateway.told("client connected").at(-1)?.["client"];
}

async function line(gateway: Gateway, message: string): Promise<Line> {
  await gateway.until(() => gateway.told(message).length > 0, message);
  return gateway.told(message)[0] as Line;
}

describe("a client that comes back", () => {
  it("and was told more than the server said is named", async () => {
    const gateway = await world();
    const commits = new ClientCommit(await gateway.connect());
    const from = await commits.commit({ create: [oid(1)] });
    const tid = await commits.commit({ modify: [oid(1)], create: [oid(2)] });
    const back = await gateway.connect();
    await back.getInvalidations(from);
    expect(await line(gateway, "getInvalidations repaired")).toMatchObject({
      client: newest(gateway),
      from: tidHex(from),
      tid: tidHex(tid),
    });
    expect(gateway.resumes).toMatchObject([{ client: newest(gateway) }]);
  });

  it("and drops its cache, since the history does not reach back so far, is named", async () => {
    const gateway = await world();
    const direct = new ClientCommit(await gateway.connect({ port: gateway.server.port }));
    const from = await direct.commit({ create: [oid(1)] });
    await direct.commit({ create: [oid(2)] });
    const back = await gateway.connect();
    expect(await back.getInvalidations(from)).toBeUndefined();
    expect(await line(gateway, TOO_OLD)).toMatchObject({ level: "info", client: newest(gateway), from: tidHex(from) });
    expect(gateway.told(SERVER_TOO_OLD)).toEqual([]);
  });

  it("and drops its cache, since the server's own queue does not, is named, too", async () => {
    const gateway = await world({ queueSize: 2 });
    const commits = new ClientCommit(await gateway.connect());
    const tids = [];
    for (let n = 1; n <= 4; n++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      tids.push(await commits.commit({ create: [oid(n)] }));
    }
    const from = tids[0] ?? NO_TID;
    const back = await gateway.connect();
    expect(await back.getInvalidations(from)).toBeUndefined();
    expect(await line(gateway, SERVER_TOO_OLD)).toEqual({
      level: "info",
      at: expect.any(String) as string,
      upstream: "door0",
      storage: "1",
      client: newest(gateway),
      from: tidHex(from),
      msg: SERVER_TOO_OLD,
    });
    expect(gateway.told(TOO_OLD)).toEqual([]);
  });
});

describe("a repaired transaction", () => {
  it("names the client that committed it, as long as that is there", async () => {
    const gateway = await world();
    const writer = new ClientCommit(await gateway.connect());
    const committer = newest(gateway);
    const watcher = await gateway.connect();
    const tid = await writer.commit({ create: [oid(1)] });
    await watcher.invalidation(tid);
    expect(await line(gateway, "invalidation repaired")).toMatchObject({ client: committer, tid: tidHex(tid) });
    expect(gateway.repairs).toMatchObject([{ client: committer }]);
  });

  it("is counted in one line for all, where that is wanted, at the latest when the proxy stops", async () => {
    const gateway = await world({}, { log: { repairs: "summary" } });
    const writer = new ClientCommit(await gateway.connect());
    const watchers = [await gateway.connect(), await gateway.connect()];
    const tids = [await writer.commit({ create: [oid(1), oid(2)] }), await writer.commit({ create: [oid(3)] })];
    const back = await gateway.connect();
    await back.getInvalidations(tids[0] ?? NO_TID);
    await Promise.all(watchers.map((watcher) => watcher.invalidation(tids[1] ?? NO_TID)));
    await gateway.until(() => gateway.repairs.length === 2, "both repairs");
    expect(gateway.told("invalidations repaired")).toEqual([]);
    await gateway.proxy.stop();
    expect(gateway.told("invalidations repaired")).toMatchObject([
      {
        level: "info",
        upstream: "door0",
        storage: "1",
        transactions: 2,
        created: 3,
        completed: 4,
        resumed: 1,
        first: tidHex(tids[0] ?? NO_TID),
        last: tidHex(tids[1] ?? NO_TID),
      },
    ]);
    for (const each of ["invalidation repaired", "getInvalidations repaired"]) expect(gateway.told(each)).toEqual([]);
  });

  it("is in that line, too, if everybody was told only while the proxy stopped", async () => {
    const gateway = await world({}, { log: { repairs: "summary" } });
    const writer = new ClientCommit(await gateway.connect());
    const watcher = await gateway.connect();
    const finish = gateway.server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = writer.commit({ create: [oid(1)] });
    await finish.caught();
    const stopped = gateway.proxy.stop();
    finish.open();
    await watcher.invalidation(await commit);
    await stopped;
    expect(gateway.told("invalidations repaired")).toMatchObject([{ transactions: 1, created: 1, completed: 1 }]);
  });
});

describe("an outage", () => {
  it("ends at the level at which it has begun", async () => {
    const gateway = await world();
    const { server } = gateway;
    const client = await gateway.connect();
    await server.close();
    await client.whenClosed();
    const down = await line(gateway, "the server is down: not listening");
    await server.start();
    const back = await line(gateway, "the server is back");
    expect([down.level, back.level]).toEqual(["error", "error"]);
  });
});

describe("a commit whose fate is unknown", () => {
  it.each(["closed", "reset", "an exception"] as const)(
    "names its client; those that are ended for it have no tid (%s)",
    async (how) => {
      const gateway = await scripted();
      const committer = await registered(gateway);
      const address = newest(gateway);
      const other = await registered(gateway);
      const { client, server } = committer;
      client.tell("tpc_begin", 9, "", "", new Map(), null, " ");
      client.tell("storea", bytes8(1n), Buffer.alloc(8), Buffer.from("x"), 9);
      client.call(2, "vote", 9);
      for (const method of ["tpc_begin", "storea", "vote"]) await server.expect(method);
      server.reply(2, []);
      await client.expect(".reply");
      client.call(3, "tpc_finish", 9);
      await server.expect("tpc_finish");
      // Of the machine itself the start may have warned.
      const before = gateway.lines.length;
      if (how === "closed") server.socket.destroy();
      else if (how === "reset") server.socket.resetAndDestroy();
      else server.send(server.codec.encode("pickle3", 3, 2, ".reply", ["ZODB.POSException.StorageError", []]));
      await Promise.all([client.end(), other.client.end()]);
      const [limbo, ...ended] = gateway.lines
        .slice(before)
        .filter(({ level }) => level !== "info" && level !== "debug");
      expect(limbo).toEqual({
        level: "warn",
        at: expect.any(String) as string,
        upstream: "door0",
        storage: "1",
        client: address,
        msg: LIMBO,
      });
      expect(ended).toContainEqual(expect.objectContaining({ code: "unknown-commit", client: newest(gateway) }));
      for (const one of ended) expect(one).not.toHaveProperty("got");
    },
  );
});
