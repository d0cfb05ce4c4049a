import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer, type EmbeddedServerOptions } from "../../src/embedded/server.ts";
import { createProxy, type ConfigInput } from "../../src/index.ts";
import { makeLogger } from "../../src/log/logger.ts";
import { freePort } from "../net/free-port.ts";
import { Gateway, oid, type Line } from "./world.ts";

const MOVED = "another server takes the place of the one that is down";

async function serverAt(port: number, options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const server = new EmbeddedServer({ ...options, port });
  await server.start();
  onTestFinished(() => server.close());
  return server;
}

/** A proxy before servers at these ports, in that order. */
async function before(
  ports: readonly number[],
  rest: Partial<ConfigInput> = {},
): Promise<Gateway & { listen: number }> {
  const lines: Line[] = [];
  const logger = makeLogger("debug", { write: (line) => lines.push(JSON.parse(line) as Line) });
  const listen = await freePort();
  const servers = ports.map((port) => `127.0.0.1:${port}`);
  const proxy = createProxy(
    { upstreams: [{ name: "main", listen: `127.0.0.1:${listen}`, servers }], limits: { failover: "300ms" }, ...rest },
    { logger },
  );
  onTestFinished(async () => {
    await proxy.stop();
    expect(proxy.stats().guard).toBe(0);
    expect(lines.filter((line) => line["code"] === "internal-error")).toEqual([]);
  });
  await proxy.start();
  return Object.assign(new Gateway(proxy, lines), { listen });
}

async function client(port: number): Promise<EmbeddedClient> {
  const connected = await EmbeddedClient.connect({ port });
  onTestFinished(() => connected.destroy());
  return connected;
}

async function commits(writer: EmbeddedClient, n: number, watcher: EmbeddedClient): Promise<void> {
  const tid = await new ClientCommit(writer).commit({ create: [oid(n)] });
  expect(await watcher.invalidation(tid)).toMatchObject({ oids: [oid(n)] });
}

describe("a primary and its standby", () => {
  it("the standby takes the primary's place, and is repaired as that was; the primary that comes back is not asked", async () => {
    const [one, two] = [await freePort(), await freePort()];
    const [primary, standby] = [await serverAt(one), await serverAt(two)];
    const gateway = await before([one, two]);
    const [writer, watcher] = [await client(gateway.listen), await client(gateway.listen)];
    await commits(writer, 1, watcher);
    expect(standby.connections).toHaveLength(0);
    const ends = [writer, watcher].map((each) => once(each, "closed"));
    await primary.close();
    await Promise.all(ends);
    await gateway.until(() => gateway.told(MOVED).length > 0, "the standby takes its place");
    expect(gateway.told(MOVED)).toMatchObject([
      { level: "error", upstream: "main", from: `127.0.0.1:${one}`, to: `127.0.0.1:${two}` },
    ]);
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.state === "listening", "it listens");
    const again = await serverAt(one);
    const [later, other] = [await client(gateway.listen), await client(gateway.listen)];
    await commits(later, 2, other);
    const { upstreams, storages } = gateway.proxy.status();
    expect(upstreams).toMatchObject([{ server: `127.0.0.1:${two}`, standbys: [`127.0.0.1:${one}`], ready: true }]);
    // What was known of the primary is known no more.
    expect(storages.map(({ server }) => server)).toEqual([`127.0.0.1:${two}`]);
    expect(again.connections).toHaveLength(0);
    expect(standby.connections.length).toBeGreaterThanOrEqual(2);
  });

  it("a restart of the primary that takes less than limits.failover changes nothing", async () => {
    const [one, two] = [await freePort(), await freePort()];
    const [primary, standby] = [await serverAt(one), await serverAt(two)];
    const gateway = await before([one, two], { limits: { failover: "1m" } });
    const watcher = await client(gateway.listen);
    const ended = once(watcher, "closed");
    await primary.close();
    await ended;
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.state === "down", "it is down");
    const listening = gateway.event("listening");
    await serverAt(one);
    await listening;
    await client(gateway.listen);
    expect(gateway.told(MOVED)).toEqual([]);
    expect(standby.connections).toHaveLength(0);
  });

  it("an upstream that shares the server goes its own way; what is known of it stays as long as anybody is there", async () => {
    const [one, two, alone, both] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const [primary] = [await serverAt(one), await serverAt(two)];
    const upstreams = [
      { name: "alone", listen: `127.0.0.1:${alone}`, server: `127.0.0.1:${one}` },
      { name: "both", listen: `127.0.0.1:${both}`, servers: [`127.0.0.1:${one}`, `127.0.0.1:${two}`] },
    ];
    const gateway = await before([], { upstreams });
    const clients = [await client(alone), await client(both)];
    const ends = clients.map((each) => once(each, "closed"));
    await primary.close();
    await Promise.all(ends);
    await gateway.until(() => gateway.told(MOVED).length > 0, "one of them moves");
    await serverAt(one);
    const stateOf = (name: string) => gateway.proxy.stats().upstreams.find((each) => each.name === name);
    await gateway.until(() => stateOf("alone")?.state === "listening", "the other one is back");
    expect(stateOf("alone")?.server).toBe(`127.0.0.1:${one}`);
    expect(stateOf("both")?.server).toBe(`127.0.0.1:${two}`);
    await commits(await client(alone), 3, await client(alone));
  });
});
