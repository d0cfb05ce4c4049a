/** Undo, pack, external garbage collection, and history copied from another storage. */

import { expect } from "vitest";
import { join } from "node:path";
import type { Scenario } from "./scenario.ts";

export const history: readonly Scenario[] = [
  {
    name: "undo",
    async run({ stage, writer }) {
      const made = await writer.commit({ create: 2 });
      const changed = await writer.commit({ modify: made.created });
      await writer.begin();
      await writer.undo(changed.tid);
      await writer.vote();
      await stage.settled(await writer.finish());
      // A creation undone, beside a creation.
      const second = await writer.commit({ create: 2 });
      const [beside = ""] = await writer.newOids(1);
      await writer.begin();
      await writer.store(beside, 1, { serial: "new" });
      await writer.undo(second.tid);
      await writer.vote();
      const last = await writer.finish();
      await stage.settled(last);
      expect((await writer.load(made.created[0] ?? ""))?.value).toBe(0);
    },
  },
  {
    name: "pack during commits",
    async run({ stage, writer, other }) {
      const { created } = await writer.commit({ create: 3 });
      const writing = writer.write({ count: 15, seed: 7, delete: stage.deletes });
      await other.pack();
      await writing;
      const last = await writer.commit({ create: 1, modify: created });
      await stage.settled(last.tid);
      // The next pack drops what this one left behind.
      await stage.readTruth("1");
    },
  },
  {
    name: "deleted",
    async run({ stage, writer }) {
      const { created } = await writer.commit({ create: 4 });
      const [a = "", b = "", c = "", d = ""] = created;
      // Nothing but deletions: an old server sends no message.
      await writer.begin();
      await writer.deleteObject(a);
      await writer.deleteObject(b);
      await writer.vote();
      await stage.settled(await writer.finish());
      // And beside a change.
      await writer.begin();
      await writer.deleteObject(c);
      await writer.store(d, 5);
      await writer.vote();
      await stage.settled(await writer.finish());
      for (const observer of stage.observers()) expect(await observer.load(a), observer.kind).toBeNull();
    },
  },
  {
    name: "restored",
    async run({ stage, kind }) {
      const process = await stage.process(kind, "writer");
      const source = await stage.open(process, { storage: "source", db: true });
      const made = await source.commit({ create: 3 });
      const changed = await source.commit({ create: 1, modify: made.created });
      await source.begin();
      await source.undo(changed.tid);
      await source.vote();
      await source.finish();
      const gone = await source.commit({ create: 1 });
      await source.begin();
      await source.undo(gone.tid);
      await source.vote();
      await source.finish();
      await source.close();

      const storage = `copy-${kind.peer.name}`;
      await stage.openObservers(storage);
      const copier = await stage.open(process, { storage });
      await copier.copyFrom(join(stage.server.dir, "source.fs"));
      const last = await copier.lastTransaction();
      await stage.settled(last, storage);
      await copier.close();
      stage.span("restored", storage, "", last);
    },
  },
];
