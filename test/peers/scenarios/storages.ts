/** Two storages on one server: tids and oids of one mean nothing in the other. */

import type { Scenario } from "./scenario.ts";

export const storages: Scenario = {
  name: "several storages",
  async run({ stage, kind, writer }) {
    const process = await stage.process(kind, "writer");
    const second = await stage.open(process, { storage: "2", db: true });
    const after = await second.lastTransaction();
    const here = await writer.commit({ create: 2 });
    const there = await second.commit({ create: 2 });
    const [one, two] = await Promise.all([
      writer.commit({ create: 1, modify: here.created }),
      second.commit({ create: 1, modify: there.created }),
    ]);
    const last = await second.commit({ create: 3 });
    await stage.settled(one.tid);
    await stage.settled(two.tid, "2");
    await stage.settled(last.tid, "2");
    stage.span("several storages", "2", after, last.tid);
    await second.close();
  },
};
