import dns from "node:dns";
import { connect, createServer, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { MemoryStorage } from "../../src/embedded/memory-storage.ts";
import { embeddedServer, gatewayTo, oid } from "../proxy/world.ts";
import { named } from "./named.ts";

// Behind one name there is one server. Where there are several, what one of them shows is taken as proof of what another
// has written, and reads stay stale: it is said, where it can be seen, and a name that changes is no reason to say it.

const AT_ONCE =
  "several addresses answer at once: if these are several servers, clients' reads can be stale without a sign";
const OLDER = "the server's last transaction is older than a known one: another database or a backup; its sessions end";
const AGAIN =
  "the server's last transaction was older again: are these several servers? Its clients' reads can be stale";

const NAME = "zeo.example.test";
const PRIMARY = "127.0.0.1";
const REPLICA = "127.0.0.2";

/** A name service in which one name leads to one address after the other. */
function nameService(): { leadsTo: (address: string) => void } {
  const real = dns.lookup as (...args: unknown[]) => void;
  let now: string = PRIMARY;
  const lookup = vi
    .spyOn(dns, "lookup")
    .mockImplementation((host: string, ...rest: unknown[]) => real(host === NAME ? now : host, ...rest));
  onTestFinished(() => lookup.mockRestore());
  return {
    leadsTo: (address) => {
      now = address;
    },
  };
}

/** Two servers of one name; `replica`: it never lags, as it has the same storage. */
async function twoServers(replica: "same" | "behind") {
  const storages = { "1": new MemoryStorage() };
  const primary = await embeddedServer({ host: PRIMARY, storages });
  const { port } = primary;
  const other = await embeddedServer({ host: REPLICA, port, ...(replica === "same" && { storages }) });
  const names = nameService();
  const gateway = await named([{ server: `${NAME}:${port}` }]);
  /** A client whose server is at this address. */
  const at = (address: string) => {
    names.leadsTo(address);
    return gateway.connect();
  };
  const addresses = () => gateway.proxy.stats().upstreams[0]?.addresses;
  return { primary, other, port, gateway, at, addresses };
}

describe("one name of two servers", () => {
  it("is said when both answer: once, with the addresses", async () => {
    const { gateway, at, addresses, port } = await twoServers("same");
    const one = await at(PRIMARY);
    const two = await at(REPLICA);
    expect(gateway.told(AT_ONCE)).toEqual([]);
    for (let turn = 0; turn < 3; turn++) {
      await one.call("lastTransaction");
      await two.call("lastTransaction");
    }
    await at(PRIMARY);
    expect(gateway.told(AT_ONCE)).toEqual([
      {
        level: "error",
        at: expect.any(String) as string,
        upstream: "door0",
        server: `${NAME}:${port}`,
        addresses: [PRIMARY, REPLICA],
        since: 1,
        total: 1,
        msg: AT_ONCE,
      },
    ]);
    expect(addresses()).toEqual([PRIMARY, REPLICA]);
    expect(gateway.ended).toEqual([]);
  });

  it("is said when one answers older transactions again, with who did", async () => {
    const { gateway, at, port } = await twoServers("behind");
    const writer = await at(PRIMARY);
    await new ClientCommit(writer).commit({ create: [oid(1)] });
    const reader = await at(REPLICA).catch(() => undefined);
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "all have ended");
    expect(reader?.closed).not.toBe(false);
    expect([gateway.told(OLDER).length, gateway.told(AGAIN).length]).toEqual([1, 0]);
    // Everybody comes back.
    await at(PRIMARY);
    await at(REPLICA).catch(() => undefined);
    await gateway.until(() => gateway.told(AGAIN).length > 0, "it is said");
    expect(gateway.told(AGAIN)).toMatchObject([
      {
        level: "error",
        upstream: "door0",
        storage: "1",
        server: `${NAME}:${port}`,
        address: `${REPLICA}:${port}`,
        addresses: [`${PRIMARY}:${port}`, `${REPLICA}:${port}`],
        times: 2,
        since: 1,
      },
    ]);
    expect(gateway.proxy.stats().storages).toMatchObject([{ setbacks: 2 }]);
  });
});

it("a balancer before two servers is said, too, when one is behind", async () => {
  const primary = await embeddedServer();
  const replica = await embeddedServer();
  let port = primary.port;
  const balancer = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    for (const socket of [client, server]) socket.on("error", () => undefined);
    client.pipe(server).pipe(client);
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  });
  await new Promise<void>((done) => balancer.listen(0, "127.0.0.1", done));
  onTestFinished(() => void balancer.close());
  const gateway = await gatewayTo((balancer.address() as AddressInfo).port);
  await new ClientCommit(await gateway.connect()).commit({ create: [oid(1)] });
  for (let turn = 0; turn < 2; turn++) {
    port = primary.port;
    await gateway.connect();
    port = replica.port;
    await gateway.connect().catch(() => undefined);
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "all have ended");
  }
  expect(gateway.told(OLDER)).toHaveLength(2);
  expect(gateway.told(AGAIN)).toMatchObject([{ times: 2, addresses: [gateway.told(AGAIN)[0]?.["address"]] }]);
  expect(gateway.told(AT_ONCE)).toEqual([]);
});

describe("no reason to say it is", () => {
  it("a name whose address has changed when everybody had left", async () => {
    const { gateway, at, addresses } = await twoServers("same");
    const one = await at(PRIMARY);
    one.destroy();
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "it has left");
    const two = await at(REPLICA);
    const three = await at(REPLICA);
    await two.call("lastTransaction");
    await three.call("lastTransaction");
    expect(addresses()).toEqual([REPLICA]);
    expect(gateway.told(AT_ONCE)).toEqual([]);
  });

  it("a fail-over, as long as nothing more is heard of the old address", async () => {
    const { gateway, at, addresses } = await twoServers("same");
    const one = await at(PRIMARY);
    const two = await at(REPLICA);
    const three = await at(REPLICA);
    await two.call("lastTransaction");
    await three.call("lastTransaction");
    expect(addresses()).toEqual([PRIMARY, REPLICA]);
    expect(gateway.told(AT_ONCE)).toEqual([]);
    await one.call("lastTransaction");
    expect(gateway.told(AT_ONCE)).toHaveLength(1);
  });

  it("one backup that was restored", async () => {
    const { gateway, primary, other, at } = await twoServers("behind");
    await new ClientCommit(await at(PRIMARY)).commit({ create: [oid(1)] });
    await primary.close();
    await at(REPLICA).catch(() => undefined);
    await gateway.until(() => gateway.told(OLDER).length > 0, "it is seen");
    const back = await at(REPLICA);
    await new ClientCommit(back).commit({ create: [oid(2)] });
    await at(REPLICA);
    expect(other.port).toBe(primary.port);
    expect(gateway.told(OLDER)).toHaveLength(1);
    expect([gateway.told(AGAIN), gateway.told(AT_ONCE)]).toEqual([[], []]);
  });
});
