import { expect, describe, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { embeddedServer, gatewayTo, oid, telling, tellings, type Gateway } from "../proxy/world.ts";

/** How long what a new server skips is waited for before anybody asks, for each proxy, and more. */
const TOLD_MS = 10_000;

/** Proxies one behind the other; the first one is the server's neighbour. */
async function series(count: number, port: number): Promise<Gateway[]> {
  const gateways: Gateway[] = [];
  for (let n = 0; n < count; n++) gateways.push(await gatewayTo(gateways.at(-1)?.port() ?? port));
  return gateways;
}

/** The proxies have ended nobody. (The guard's count is looked at when they stop.) */
function expectUnharmed(gateways: readonly Gateway[]): void {
  expect(gateways.map(({ ended }) => ended)).toEqual(gateways.map(() => []));
}

describe.each(["Z4", "Z5", "M5"] as const)("before an unpatched %s server", (protocol) => {
  describe.each([1, 2, 3])("%i in series", (count) => {
    it("tell a client that only listens of everything, once", async () => {
      const server = await embeddedServer({ protocol });
      const gateways = await series(count, server.port);
      const last = gateways.at(-1);
      const commit = new ClientCommit(await last!.connect());
      const watchers = [await last!.connect(), await last!.connect()];
      const first = await commit.commit({ create: [oid(1)] });
      const second = await commit.commit({ create: [oid(2), oid(3)], modify: [oid(1)] });
      const third = await commit.commit({ create: [oid(4)] });
      const fourth = await commit.commit({ delete: [oid(4)] });
      for (const watcher of watchers) {
        await watcher.invalidation(fourth, TOLD_MS);
        expect(tellings(watcher)).toEqual([
          telling(first, 1),
          telling(second, 1, 2, 3),
          telling(third, 4),
          telling(fourth, 4),
        ]);
      }
      expectUnharmed(gateways);
    });

    it("ask for what the server skips, each by itself", async () => {
      const server = await embeddedServer({ protocol });
      const gateways = await series(count, server.port);
      const last = gateways.at(-1);
      const commit = new ClientCommit(await last!.connect());
      const skipped = await last!.connect();
      const first = await commit.commit({ create: [oid(1)] });
      await skipped.invalidation(first, TOLD_MS);
      server.configure({ skipClient: () => true });
      for (let n = 2; n < 6; n++) {
        const tid = await commit.commit({ create: [oid(n)], modify: [oid(1)] });
        await skipped.invalidation(tid, TOLD_MS);
        expect(tellings(skipped).at(-1)).toEqual(telling(tid, 1, n));
      }
      for (const { proxy } of gateways) expect(proxy.stats().questions).toBeGreaterThan(0);
      expectUnharmed(gateways);
    }, 60_000);

    it("add what each of them has seen: clients of one hear of what clients of another created", async () => {
      const server = await embeddedServer({ protocol });
      const gateways = await series(count, server.port);
      const clients = await Promise.all(gateways.map((gateway) => gateway.connect()));
      const watchers = await Promise.all(gateways.map((gateway) => gateway.connect()));
      const expected: ReturnType<typeof telling>[] = [];
      for (let round = 0; round < 3; round++) {
        for (const [n, client] of clients.entries()) {
          const number = round * 10 + n + 1;
          const tid = await new ClientCommit(client).commit({ create: [oid(number)] });
          expected.push(telling(tid, number));
          for (const watcher of watchers) await watcher.invalidation(tid, TOLD_MS);
        }
      }
      for (const watcher of watchers) expect(tellings(watcher)).toEqual(expected);
      expectUnharmed(gateways);
    }, 60_000);
  });
});
