import { describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import type { Tid } from "../../src/wire/ids.ts";
import { oid, world, type Gateway, type WorldOptions } from "./world.ts";
import type { EmbeddedServer } from "../../src/embedded/server.ts";

/** A commit whose `tpc_finish` is on its way, and somebody who is to be told of it. */
async function finishing(options: WorldOptions = {}) {
  const gateway = await world({}, options);
  const writer = await gateway.connect();
  const watcher = await gateway.connect();
  const hold = gateway.server.gate.outgoing(({ method }) => method === "tpc_finish");
  const commit = new ClientCommit(writer);
  const committed = commit.commit({ create: [oid(1)] });
  await hold.caught();
  return { gateway, writer, watcher, hold, committed };
}

async function stopped(gateway: Gateway & { server: EmbeddedServer }): Promise<void> {
  await gateway.proxy.stop();
  const { upstreams } = gateway.proxy.stats();
  expect(upstreams).toMatchObject([{ state: "stopped", clients: 0 }]);
  await gateway.until(() => gateway.server.connections.length === 0, "all server connections are closed");
}

describe("a stop", () => {
  it("lets finishing commits settle and tells of them, and accepts nobody meanwhile", async () => {
    const { gateway, writer, watcher, hold, committed } = await finishing({ limits: { drain: "10s" } });
    const stopping = stopped(gateway);
    await expect(gateway.peer()).rejects.toThrow("ECONNREFUSED");
    expect(writer.closed).toBe(false);
    hold.open();
    const tid = await committed;
    expect(await watcher.invalidation(tid)).toMatchObject({ oids: [oid(1)] });
    await stopping;
    await Promise.all([writer.whenClosed(), watcher.whenClosed()]);
    expect(gateway.ended).toEqual([]);
  });

  it("waits at most limits.drain", async () => {
    const { gateway, writer, watcher, committed } = await finishing({ limits: { drain: "200ms" } });
    const lost = committed.catch((error: unknown) => error);
    const before = Date.now();
    await stopped(gateway);
    expect(Date.now() - before).toBeGreaterThanOrEqual(190);
    expect(Date.now() - before).toBeLessThan(1500);
    expect(await lost).toMatchObject({ message: "tpc_finish: the connection was closed" });
    await Promise.all([writer.whenClosed(), watcher.whenClosed()]);
  });

  it("closes a client at once that has voted and not finished", async () => {
    const gateway = await world({}, { limits: { drain: "10s" } });
    const voter = await gateway.connect();
    const commit = new ClientCommit(voter);
    commit.begin();
    commit.store(oid(1), 0n as Tid, Buffer.from("x"));
    await commit.vote();
    const { hold, committed, other } = await otherFinishing(gateway);
    const stopping = stopped(gateway);
    await voter.whenClosed(500);
    expect(other.closed).toBe(false);
    hold.open();
    await committed.catch(() => undefined);
    await stopping;
  });

  it("reads no more requests", async () => {
    const { gateway, watcher, hold, committed } = await finishing({ limits: { drain: "10s" } });
    const read = gateway.server.gate.incoming(({ method }) => method === "lastTransaction");
    const stopping = stopped(gateway);
    const asked = watcher.lastTransaction().catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(read.messages).toEqual([]);
    hold.open();
    await committed;
    await stopping;
    expect(await asked).toMatchObject({ message: "lastTransaction: the connection was closed" });
  });

  it("twice is one, and of a proxy without clients it is quick", async () => {
    const gateway = await world({}, { limits: { drain: "10s" } });
    const before = Date.now();
    await Promise.all([gateway.proxy.stop(), gateway.proxy.stop()]);
    expect(Date.now() - before).toBeLessThan(500);
  });

  it("of a proxy whose server is down is quick, too", async () => {
    const gateway = await world({}, { limits: { drain: "10s" } });
    const client = await gateway.connect();
    const down = gateway.event("down");
    await gateway.server.close();
    await client.whenClosed();
    await down;
    const before = Date.now();
    await gateway.proxy.stop();
    expect(Date.now() - before).toBeLessThan(500);
  });

  it("waits for no client that waits for the server itself", async () => {
    const gateway = await world({}, { limits: { drain: "10s" } });
    await gateway.server.close();
    const down = gateway.event("down");
    const waiting = await gateway.peer();
    await down;
    const before = Date.now();
    await gateway.proxy.stop();
    expect(Date.now() - before).toBeLessThan(1000);
    expect(gateway.proxy.stats().upstreams[0]?.clients).toBe(0);
    await waiting.end();
  });

  it("ends with a client that does not read", async () => {
    const gateway = await world({}, { limits: { drain: "300ms" } });
    const client = await gateway.connect();
    client.pause();
    await stopped(gateway);
  });
});

/** Another client whose `tpc_begin` waits in a server that holds it: something is on its way. */
async function otherFinishing(gateway: Gateway & { server: EmbeddedServer }) {
  const other = await gateway.connect();
  const commit = new ClientCommit(other);
  const hold = gateway.server.gate.incoming(({ method }) => method === "tpc_finish");
  commit.begin();
  // A finish without a vote: the server answers with an exception, when it gets to it.
  const committed = commit.finish();
  await hold.caught();
  return { other, hold, committed };
}
