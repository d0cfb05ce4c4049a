import { afterEach, describe, expect, it } from "vitest";
import { createProxy, type RepairEvent } from "../../src/index.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import type { ServerProtocol } from "../../src/embedded/behaviour.ts";

const cleanup: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

async function world(protocol: ServerProtocol) {
  const server = new EmbeddedServer({ protocol });
  await server.start();
  cleanup.push(() => server.close());
  const proxy = createProxy({
    upstreams: [{ name: "main", listen: "127.0.0.1:0", server: `127.0.0.1:${server.port}`, witness: "off" }],
  });
  const repairs: RepairEvent[] = [];
  proxy.on("repaired", (event) => repairs.push(event));
  await proxy.start();
  cleanup.push(() => proxy.stop());
  const port = Number(proxy.stats().upstreams[0]?.listen?.split(":").at(-1));
  const connect = async () => {
    const client = await EmbeddedClient.connect({ port });
    cleanup.push(() => client.close());
    return client;
  };
  return { server, proxy, repairs, port, connect };
}

const oid = (n: number) => n.toString(16).padStart(16, "0");

describe.each(["Z4", "Z5", "M5"] as const)("before an unpatched %s server", (protocol) => {
  it("announces created objects to the other client", async () => {
    const { proxy, repairs, connect } = await world(protocol);
    const writer = await connect();
    const watcher = await connect();
    const commit = new ClientCommit(writer);
    const first = await commit.commit({ create: [oid(1), oid(2)] });
    const second = await commit.commit({ create: [oid(3)], modify: [oid(1)] });
    const third = await commit.commit({ modify: [oid(1)] });
    await watcher.invalidation(third);
    expect(watcher.invalidations.map(({ tid, oids }) => [tid, [...oids].sort()])).toEqual([
      [first, [oid(1), oid(2)]],
      [second, [oid(1), oid(3)]],
      [third, [oid(1)]],
    ]);
    expect(writer.invalidations).toEqual([]);
    expect(
      repairs.map(({ repair, created, completed, synthesized }) => ({ repair, created, completed, synthesized })),
    ).toEqual([
      protocol === "Z4"
        ? { repair: "synthesized", created: 2, completed: 0, synthesized: 1 }
        : { repair: "completed", created: 2, completed: 1, synthesized: 0 },
      { repair: "completed", created: 1, completed: 1, synthesized: 0 },
    ]);
    expect(proxy.stats()).toMatchObject({ guard: 0, ended: {} });
  });
});
