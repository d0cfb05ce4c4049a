/** The server goes away and comes back; its clients find it again through the proxy. */

import { expect } from "vitest";
import type { Scenario } from "./scenario.ts";

const RECONNECT_TIMEOUT_MS = 45_000;

export const restarted: Scenario = {
  name: "the server restarts",
  async run({ stage, writer, other }) {
    const { created, tid } = await writer.commit({ create: 3 });
    await stage.settled(tid);
    const before = await writer.commit({ create: 1, modify: created.slice(0, 1) });
    await stage.settled(before.tid);
    await stage.server.restart();
    for (const client of [writer, other, ...stage.observers()]) {
      expect(await client.waitConnected(RECONNECT_TIMEOUT_MS), `${client.kind} is connected again`).toBe(true);
    }
    // The first commits are the ones that an old server would say nothing of.
    const after = await writer.commit({ create: 2 });
    await stage.settled(after.tid);
    const last = await other.commit({ create: 1, modify: created });
    await stage.settled(last.tid);
  },
};
