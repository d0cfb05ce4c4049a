import { describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import type { EmbeddedClient } from "../../src/embedded/client.ts";
import { NO_TID, type Tid } from "../../src/wire/ids.ts";
import { oid, world } from "../proxy/world.ts";

// A commit of many objects makes large messages: the invalidation, an old server's `serialnos`, a new one's reply to the
// vote of an undo, and the answer to a client that comes back. None of them has a bound but that of any frame.

/** Only a hang takes so long. */
const HANG_MS = 240_000;

const DATA = Buffer.from("data");

/** Stores all of them as one transaction. Serials come from the commit before. */
async function commit(client: EmbeddedClient, transaction: ClientCommit, oids: readonly string[]): Promise<Tid> {
  const id = transaction.begin();
  for (const one of oids) transaction.store(one, transaction.serials.get(one) ?? NO_TID, DATA);
  await client.call("vote", id);
  return transaction.finish();
}

describe.each(["Z4", "Z5", "M5"] as const)("before a %s server", (protocol) => {
  it.each([9_000, 100_000])(
    "%i objects of one transaction are told to everyone, and nobody is ended",
    async (count) => {
      const gateway = await world({ protocol }, { log: { level: "warn" } });
      const oids = Array.from({ length: count }, (_, n) => oid(n + 1));
      const connect = () => gateway.connect({ timeoutMs: HANG_MS });
      const [writer, watcher, away] = [await connect(), await connect(), await connect()];
      const transaction = new ClientCommit(writer);
      await transaction.commit({ create: [oid(0)] });
      // An old server's queue begins with a commit that it announces.
      const first = await transaction.commit({ modify: [oid(0)] });
      await watcher.invalidation(first);
      expect(await away.lastTransaction()).toBe(first);
      await away.close();

      const created = await commit(writer, transaction, oids);
      const modified = count > 10_000 ? created : await commit(writer, transaction, oids);
      if (count <= 10_000) {
        // The reply to its vote names every object.
        const id = transaction.begin();
        transaction.undo(modified);
        await writer.call("vote", id);
        await watcher.invalidation(await transaction.finish());
      }
      await watcher.invalidation(modified);

      const told = watcher.invalidations.filter(({ tid }) => tid > first);
      expect(told.length).toBe(count > 10_000 ? 1 : 3);
      for (const one of told) expect(new Set(one.oids)).toEqual(new Set(oids));

      const back = await connect();
      const last = await back.lastTransaction();
      const answer = await back.getInvalidations(first);
      expect(answer?.tid).toBe(last);
      expect(new Set(answer?.oids)).toEqual(new Set(oids));

      expect([writer.closed, watcher.closed, back.closed]).toEqual([false, false, false]);
      expect(gateway.ended).toEqual([]);
      expect(gateway.proxy.stats()).toMatchObject({ ended: {}, guard: 0 });
    },
    HANG_MS,
  );
});
