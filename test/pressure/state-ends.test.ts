import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import type { EmbeddedClient } from "../../src/embedded/client.ts";
import { StorageLedger } from "../../src/ledger/ledger.ts";
import type { StorageState } from "../../src/ledger/state.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";
import { embeddedServer, gatewayTo, oid, telling, tellings, world, type Gateway } from "../proxy/world.ts";

// What is kept of a storage has an end: of commits whose fate nobody knows, and of history that is copied into it.

const KIB = 1024;

/** What the ledger of the only storage knows. */
function watchedState(): { readonly now: StorageState<unknown> } {
  const spy = vi.spyOn(StorageLedger.prototype, "registerForwarded");
  onTestFinished(() => spy.mockRestore());
  return {
    get now() {
      const ledger = spy.mock.contexts.at(-1) as StorageLedger<unknown> | undefined;
      if (ledger === undefined) throw new Error("nobody has registered");
      return ledger.state;
    },
  };
}

/** A client that comes back whenever it is ended, and verifies, as real ones do. */
class Returning {
  client: EmbeddedClient | undefined;
  ended = 0;
  #isOver = false;
  #seen = NO_TID;

  static async start(gateway: Gateway): Promise<Returning> {
    const one = new Returning();
    onTestFinished(() => {
      one.#isOver = true;
    });
    await one.#come(gateway);
    return one;
  }

  async #come(gateway: Gateway): Promise<void> {
    const client = await gateway.connect({ timeoutMs: 30_000 });
    const seen = this.#seen;
    this.#seen = await client.lastTransaction();
    if (seen !== NO_TID) await client.getInvalidations(seen);
    this.client = client;
    this.client.once("closed", () => {
      if (this.#isOver) return;
      this.ended++;
      this.client = undefined;
      this.#come(gateway).catch(() => undefined);
    });
  }
}

describe.each(["Z4", "Z5", "M5"] as const)("before a %s server", (protocol) => {
  it(
    "many commits whose reply never comes leave nothing behind the next one that settles",
    { timeout: 60_000 },
    async () => {
      const [broken, oidsOfEach, historyBytes] = [24, 500, 64 * KIB];
      const server = await embeddedServer({ protocol });
      const gateway = await gatewayTo(server.port, { limits: { history: `${historyBytes}B` } });
      const foreign = await gateway.connect({ port: server.port });
      const foreignCommit = new ClientCommit(foreign);
      await foreignCommit.commit({ create: [oid(1), oid(2)] });
      const state = watchedState();
      const held = server.gate.incoming(({ method }) => method === "tpc_finish");
      for (let n = 0; n < broken; n++) {
        const client = await gateway.connect();
        const connection = server.connections.at(-1);
        const commit = new ClientCommit(client);
        commit.begin();
        for (let i = 0; i < oidsOfEach; i++)
          commit.store(oid(1_000_000 + n * oidsOfEach + i), NO_TID, Buffer.from("x"));
        await commit.vote();
        const finished = commit.finish().then(
          () => "settled",
          () => "broken",
        );
        await held.caught(n + 1);
        connection?.close();
        expect(await finished).toBe("broken");
        const { limbo } = state.now;
        expect(limbo.reduce((sum, { oids }) => sum + (oids?.length ?? 0), 0)).toBeLessThanOrEqual(historyBytes);
      }
      held.open();
      // All that could be kept was: it counts.
      expect(state.now.limbo.length).toBeGreaterThan(4);

      // Nobody explains this one: it is told with all that is known of them.
      const [before, kept] = [await gateway.connect(), state.now.limbo];
      const unexplained = await foreignCommit.commit({ modify: [oid(1)] });
      const { oids } = await before.invalidation(unexplained);
      expect(oids.length).toBe(1 + kept.reduce((sum, limbo) => sum + (limbo.oids?.length ?? 0) / 8, 0));
      expect(oids.length).toBeGreaterThan(oidsOfEach);

      const [writer, watcher] = [await gateway.connect(), await gateway.connect()];
      await watcher.lastTransaction();
      const settled = await new ClientCommit(writer).commit({ create: [oid(3)], modify: [oid(2)] });
      await watcher.invalidation(settled);
      const ended = gateway.ended.length;
      const tids = [];
      for (let n = 0; n < 3; n++) tids.push(await foreignCommit.commit({ modify: [oid(1)] }));
      for (const tid of tids) await watcher.invalidation(tid);
      expect(tellings(watcher)).toEqual([telling(settled, 2, 3), ...tids.map((tid) => telling(tid, 1))]);
      const back = await gateway.connect();
      await back.lastTransaction();
      expect((await back.getInvalidations(settled))?.oids).toEqual([oid(1)]);
      expect(gateway.ended).toHaveLength(ended);
      // Who comes back from before them all is told to verify, sooner or later; and nothing is kept for ever.
      const commit = new ClientCommit(writer);
      const many = Array.from({ length: 1_000 }, (_, n) => oid(5_000 + n));
      for (let n = 0; n < 12; n++) await commit.commit({ create: many.map((_, i) => oid(10_000 * (n + 1) + i)) });
      expect(state.now.limbo).toEqual([]);
      expect(state.now.historyBytes).toBeLessThanOrEqual(historyBytes);
    },
  );
});

describe.each(["Z4", "Z5"] as const)("before a %s server", (protocol) => {
  it("2,000 old transactions that are copied end nobody, and the next commit behind them each other client once", async () => {
    const state = watchedState();
    const gateway = await world({ protocol });
    const first = new ClientCommit(await gateway.connect());
    await first.commit({ create: [oid(1)] });
    const copier = await gateway.connect();
    const others = [await Returning.start(gateway), await Returning.start(gateway), await Returning.start(gateway)];
    const copies = new ClientCommit(copier);
    for (let n = 0; n < 2_000; n++) {
      copies.begin({ tid: asTid(BigInt(1_000_000 + n)) });
      copies.restore(oid(2 + (n % 50)), Buffer.from(`copied ${n}`));
      await copies.vote();
      await copies.finish();
      // What is committed meanwhile, others are told.
      if (n % 500 !== 0) continue;
      const tid = await first.commit({ modify: [oid(1)] });
      for (const { client } of others) await client?.invalidation(tid);
    }
    expect(gateway.ended).toEqual([]);
    await copier.close();
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 4, "whoever copied has gone");
    await first.commit({ modify: [oid(1)] });
    await gateway.until(() => others.every(({ ended, client }) => ended === 1 && client !== undefined), "all are back");
    // Who has made that commit could not have come back from it: it is the next one's turn.
    const [back] = others;
    if (back?.client === undefined) throw new Error("nobody is back");
    const closed = gateway.event("ended");
    await new ClientCommit(back.client).commit({ modify: [oid(1)] });
    await closed;
    expect(state.now.copied).toBe(undefined);
    expect(others.map(({ ended }) => ended)).toEqual([1, 1, 1]);
    expect(gateway.ended.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => "copied-history"));
  }, 60_000);
});
