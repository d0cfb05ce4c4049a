import { describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { oid, telling, tellings, world } from "./world.ts";

const COMMITS = [
  { create: [oid(2)] },
  { modify: [oid(1)] },
  { create: [oid(2)], modify: [oid(1)] },
  { delete: [oid(1)] },
  { restore: [oid(1)] },
];

describe.each(["Z4", "Z5", "M5"] as const)("a client that a %s server skips", (protocol) => {
  it("is told of everything within two seconds, without asking", async () => {
    await Promise.all(
      COMMITS.map(async (changes) => {
        const { gateway, commit, skipped } = await skippedClient(protocol);
        const repaired = gateway.event("repaired");
        const told = await skipped.invalidation(await commit.commit(changes), 2000);
        expect([...told.oids].sort()).toEqual(Object.values(changes).flat().sort());
        expect(await repaired).toMatchObject({ repair: "synthesized", synthesized: 1, completed: 0 });
        expect(gateway.proxy.stats().questions).toBeGreaterThan(0);
      }),
    );
  });

  it("is told by the reply to its own call, before that reply", async () => {
    const { gateway, commit, first, skipped } = await skippedClient(protocol);
    const { questions } = gateway.proxy.stats();
    const second = await commit.commit({ modify: [oid(1)] });
    expect(await skipped.lastTransaction()).toBe(second);
    expect(skipped.received.slice(-2).map(({ type }) => type)).toEqual(["invalidation", "reply"]);
    expect(tellings(skipped)).toEqual([telling(first, 1), telling(second, 1)]);
    expect(gateway.proxy.stats().questions).toBe(questions);
  });
});

/** A writer that has created object 1, and a client that heard of it and of nothing later from the server. */
async function skippedClient(protocol: "Z4" | "Z5" | "M5") {
  const gateway = await world({ protocol });
  const commit = new ClientCommit(await gateway.connect());
  const skipped = await gateway.connect();
  const repaired = gateway.event("repaired");
  const first = await commit.commit({ create: [oid(1)] });
  await skipped.invalidation(first);
  await repaired;
  gateway.server.configure({ skipClient: () => true });
  return { gateway, commit, first, skipped };
}
