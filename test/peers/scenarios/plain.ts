/** One writer, one transaction after the other. */

import { expect } from "vitest";
import type { Scenario } from "./scenario.ts";

export const plain: readonly Scenario[] = [
  {
    name: "created only",
    async run({ stage, writer }) {
      await writer.commit({ create: 1 });
      const last = await writer.commit({ create: 5 });
      await stage.settled(last.tid);
    },
  },
  {
    name: "mixed",
    async run({ stage, writer }) {
      const { created } = await writer.commit({ create: 3 });
      const last = await writer.commit({ create: 4, modify: created });
      await stage.settled(last.tid);
    },
  },
  {
    name: "modified only",
    async run({ stage, writer }) {
      const { tid, created } = await writer.commit({ create: 2 });
      await stage.settled(tid);
      // They have the old state in their caches now.
      if (stage.gateway.via === "proxy") {
        for (const observer of stage.observers()) await observer.read(created[0] ?? "");
      }
      const last = await writer.commit({ modify: created });
      await stage.settled(last.tid);
      if (stage.gateway.via !== "proxy") return;
      for (const observer of stage.observers()) {
        expect(await observer.read(created[0] ?? ""), observer.kind).toEqual({ value: 1, serial: last.tid });
      }
    },
  },
  {
    name: "empty",
    async run({ stage, kind, writer }) {
      for (let i = 0; i < 2; i++) {
        await writer.begin();
        await writer.vote();
        const tid = await writer.finish();
        // An old server answers with the transaction before; a new one's tid is in no file.
        if (stage.server.installed.peer.family === "new") stage.committedEmpty(tid);
        else expect(tid, kind.peer.name).toBe(await writer.lastTransaction());
      }
      const { created } = await writer.commit({ create: 1 });
      // Only checked, nothing stored.
      await writer.begin();
      await writer.check(created[0] ?? "");
      await writer.vote();
      const checked = await writer.finish();
      if (stage.server.installed.peer.family === "new") stage.committedEmpty(checked);
      const last = await writer.commit({ modify: created });
      await stage.settled(last.tid);
    },
  },
  {
    name: "stored with no serial",
    async run({ stage, writer }) {
      const [a = "", b = ""] = await writer.newOids(2);
      await writer.begin();
      await writer.store(a, 1, { serial: "new" });
      await writer.store(b, 1, { serial: "none" });
      await writer.vote();
      await stage.settled(await writer.finish());
    },
    // FileStorage of ZODB 5 and later compares the serial of an object that it doesn't have.
    applies: (server) => server.family === "old",
  },
  {
    name: "aborted",
    async run({ stage, writer }) {
      const [lost = ""] = await writer.newOids(1);
      const { created } = await writer.commit({ create: 2 });
      await writer.begin();
      await writer.store(lost, 1, { serial: "new" });
      await writer.store(created[0] ?? "", 8);
      await writer.abort();
      const last = await writer.commit({ create: 1, modify: created.slice(1) });
      await stage.settled(last.tid);
    },
  },
  {
    name: "aborted after vote",
    async run({ stage, writer, other }) {
      const [lost = ""] = await writer.newOids(1);
      const { created } = await writer.commit({ create: 2 });
      await writer.begin();
      await writer.store(lost, 1, { serial: "new" });
      await writer.store(created[0] ?? "", 8);
      await writer.vote();
      // It waits for the storage's lock.
      const waiting = other.commit({ create: 2 });
      await writer.abort();
      await waiting;
      const last = await writer.commit({ create: 1, modify: created.slice(1) });
      await stage.settled(last.tid);
    },
  },
  {
    name: "3000 objects",
    async run({ stage, writer }) {
      const last = await writer.commit({ create: 3000 });
      await stage.settled(last.tid);
    },
  },
];
