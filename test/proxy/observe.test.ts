import { onTestFinished, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import type { EmbeddedServer } from "../../src/embedded/server.ts";
import { NO_TID, tidHex } from "../../src/wire/ids.ts";
import { embeddedServer, gatewayTo, oid, telling, tellings, world, type Gateway } from "./world.ts";

const OBSERVED = { isObserved: true };

async function direct(server: EmbeddedServer): Promise<EmbeddedClient> {
  const client = await EmbeddedClient.connect({ port: server.port });
  onTestFinished(() => client.destroy());
  return client;
}

/** All clients have turned. */
async function turned(gateway: Gateway, observed: number): Promise<void> {
  await gateway.until(() => gateway.proxy.stats().upstreams[0]?.observed === observed, `${observed} observed`);
}

describe.each(["Z4", "Z5", "M5"] as const)("observed clients of an unpatched %s server", (protocol) => {
  it("are told what the server tells, and it is told what would be repaired", async () => {
    const gateway = await world({ protocol }, OBSERVED);
    const [writer, watcher, beside] = [await gateway.connect(), await gateway.connect(), await direct(gateway.server)];
    const commit = new ClientCommit(writer);
    const created = await commit.commit({ create: [oid(1), oid(2)] });
    const mixed = await commit.commit({ create: [oid(3)], modify: [oid(1)] });
    const modified = await commit.commit({ modify: [oid(1)] });
    await watcher.invalidation(modified);
    await beside.invalidation(modified);
    expect(tellings(watcher)).toEqual(tellings(beside));
    const line = "invalidation would be repaired";
    await gateway.until(() => gateway.told(line).length === 2, "lines of both");
    expect(gateway.told(line).map(({ tid, created: added, source }) => [tid, added, source])).toEqual([
      [tidHex(created), 2, "client"],
      [tidHex(mixed), 1, "client"],
    ]);
    const { observed, completed, synthesized, questions, storages } = gateway.proxy.stats();
    expect(observed).toMatchObject(protocol === "Z4" ? { completed: 1, synthesized: 1 } : { completed: 2 });
    expect({ completed, synthesized, questions }).toEqual({ completed: 0, synthesized: 0, questions: 0 });
    expect(storages).toMatchObject([{ observed: true, commits: 3, patched: "no" }]);
    expect(gateway.repairs).toEqual([]);
  });

  it("are repaired from the next moment on, and none is disconnected; and back", async () => {
    const gateway = await world({ protocol }, OBSERVED);
    const [writer, watcher] = [await gateway.connect(), await gateway.connect()];
    const commit = new ClientCommit(writer);
    const before = await commit.commit({ create: [oid(1)], modify: [] });
    gateway.proxy.setRepair("door0", "on");
    await turned(gateway, 0);
    expect(gateway.proxy.stats().storages.filter(({ observed }) => observed)).toEqual([]);
    const created = await commit.commit({ create: [oid(2)] });
    const mixed = await commit.commit({ create: [oid(3)], modify: [oid(1)] });
    await watcher.invalidation(mixed);
    const since = tellings(watcher).filter(({ tid }) => tid !== tidHex(before));
    expect(since).toEqual([telling(created, 2), telling(mixed, 1, 3)]);

    gateway.proxy.setRepair("door0", "observe");
    await turned(gateway, 2);
    const last = await commit.commit({ create: [oid(4)], modify: [oid(1)] });
    await watcher.invalidation(last);
    expect(tellings(watcher).at(-1)).toEqual(telling(last, 1));
    await gateway.until(() => gateway.told("invalidation would be repaired").length > 0, "a line");
    const { guard, ended, upstreams } = gateway.proxy.stats();
    expect({ guard, ended, accepted: upstreams[0]?.accepted }).toEqual({ guard: 0, ended: {}, accepted: 2 });
    expect([writer.closed, watcher.closed]).toEqual([false, false]);
  });

  it("are repaired behind a transaction that is open", async () => {
    const gateway = await world({ protocol }, OBSERVED);
    const [writer, watcher] = [await gateway.connect(), await gateway.connect()];
    const commit = new ClientCommit(writer);
    commit.begin();
    commit.store(oid(1), NO_TID, Buffer.from("data"));
    await commit.vote();
    gateway.proxy.setRepair("door0", "on");
    await turned(gateway, 1);
    const open = await commit.finish();
    await turned(gateway, 0);
    const next = await commit.commit({ create: [oid(2)] });
    await watcher.invalidation(next);
    expect(tellings(watcher).at(-1)).toEqual(telling(next, 2));
    expect(open).toBeLessThan(next);
  });
});

it("with a witness what is committed elsewhere is observed, and repaired when that is wanted", async () => {
  const server = await embeddedServer({ protocol: "Z5" });
  const gateway = await gatewayTo(server.port, { ...OBSERVED, isWatched: true });
  const watcher = await gateway.connect();
  const elsewhere = new ClientCommit(await direct(server));
  const created = await elsewhere.commit({ create: [oid(1)] });
  await watcher.invalidation(created);
  expect(tellings(watcher)).toEqual([telling(created)]);
  await gateway.until(() => gateway.told("invalidation would be repaired").length === 1, "a line");
  gateway.proxy.setRepair("door0", "on");
  await turned(gateway, 0);
  const next = await elsewhere.commit({ create: [oid(2)] });
  await watcher.invalidation(next);
  expect(tellings(watcher).at(-1)).toEqual(telling(next, 2));
});
