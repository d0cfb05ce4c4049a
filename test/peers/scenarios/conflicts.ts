/** Two writers of one object. */

import { expect } from "vitest";
import type { PeerClient } from "../client.ts";
import { fails } from "./scenario.ts";
import type { Ground, Scenario } from "./scenario.ts";

/** Both store the object from the same state; the first commits while the second waits for the lock. */
async function bothStore(
  { writer, other }: Pick<Ground, "writer" | "other">,
  oid: string,
  class_name: string,
): Promise<{ first: string; secondVote: Promise<void> }> {
  const before = await writer.load(oid);
  const serial = before?.serial ?? "";
  for (const [client, value] of [
    [writer, 10],
    [other, 200],
  ] as readonly [PeerClient, number][]) {
    await client.begin();
    const [created = ""] = await client.newOids(1);
    await client.store(created, value, { serial: "new" });
    await client.store(oid, value, { class_name, serial });
  }
  await writer.vote();
  const secondVote = other.vote();
  secondVote.catch(() => undefined);
  const first = await writer.finish();
  return { first, secondVote };
}

export const conflicts: readonly Scenario[] = [
  {
    name: "conflict refused",
    async run(ground) {
      const { stage, writer, other } = ground;
      const { created } = await writer.commit({ create: 1 });
      const { secondVote } = await bothStore(ground, created[0] ?? "", "Item");
      await fails(secondVote, ["ConflictError"]);
      await other.abort();
      const last = await other.commit({ modify: created });
      await stage.settled(last.tid);
    },
  },
  {
    name: "conflict resolved by the server",
    async run(ground) {
      const { stage, writer, other } = ground;
      const { created } = await writer.commit({ create: 1, class_name: "Counter" });
      const { secondVote } = await bothStore(ground, created[0] ?? "", "Counter");
      await secondVote;
      await stage.settled(await other.finish());
      expect((await other.load(created[0] ?? ""))?.value).toBe(210);
    },
  },
];

/** For a server with `client-conflict-resolution`: the server answers the vote with what conflicts. */
export const clientResolved: Scenario = {
  name: "conflict resolved by the client",
  applies: (server, writer) => server.family === "new" && writer.family === "new",
  async run(ground) {
    const { stage, writer, other } = ground;
    const { created } = await writer.commit({ create: 1, class_name: "Counter" });
    const { secondVote } = await bothStore(ground, created[0] ?? "", "Counter");
    await secondVote;
    await stage.settled(await other.finish());
    expect((await other.load(created[0] ?? ""))?.value).toBe(210);
    const refused = await writer.commit({ create: 1 });
    const again = await bothStore(ground, refused.created[0] ?? "", "Item");
    await fails(again.secondVote, ["ConflictError"]);
    await other.abort();
    const last = await writer.commit({ create: 1 });
    await stage.settled(last.tid);
  },
};
