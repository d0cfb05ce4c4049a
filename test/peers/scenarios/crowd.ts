/** Many clients at once. */

import { expect } from "vitest";
import type { PeerClient } from "../client.ts";
import type { Scenario } from "./scenario.ts";

export const crowd: readonly Scenario[] = [
  {
    name: "concurrent writers",
    async run({ stage, kind, writer, other }) {
      const { created } = await writer.commit({ create: 3, class_name: "Counter" });
      const writers: PeerClient[] = [writer, other];
      const guests: PeerClient[] = [];
      for (const each of stage.kinds.filter((k) => k !== kind)) {
        guests.push(await stage.open(await stage.process(each, "writer"), { db: true }));
      }
      const done = await Promise.all(
        [...writers, ...guests].map((client, i) =>
          client.write({ count: 8, seed: i + 1, shared: created, delete: stage.deletes }),
        ),
      );
      expect(done.every((d) => d.commits === 8)).toBe(true);
      const last = await writer.commit({ modify: created });
      await stage.settled(last.tid);
      for (const guest of guests) await guest.close();
    },
  },
  {
    name: "clients come and go",
    async run({ stage, kind, writer, other }) {
      // Of undo while clients leave see the stress.
      const how = { count: 25, undo: stage.server.installed.peer.family === "new", delete: stage.deletes };
      const writing = Promise.all([writer.write({ ...how, seed: 21 }), other.write({ ...how, seed: 22 })]);
      let over = false;
      void writing.then(
        () => (over = true),
        () => (over = true),
      );
      const process = await stage.process(kind, "observer");
      let visits = 0;
      while (!over || visits < 3) {
        const guest = await stage.open(process, { db: visits % 2 === 0 });
        await guest.lastTransaction();
        await guest.lastTransaction();
        await guest.close();
        visits++;
      }
      await writing;
      const last = await writer.commit({ create: 2 });
      await stage.settled(last.tid);
    },
  },
];
