/** Clients that remember: a cache file that outlives the connection, and an absence. */

import { expect } from "vitest";
import type { ClientEvent, PeerClient } from "../client.ts";
import type { Ground, Scenario } from "./scenario.ts";

/** The one getInvalidations reply of an opening. */
function resumedFrom(events: readonly ClientEvent[], who: string): { tid: string; oids: readonly string[] } {
  expect(
    events.filter((event) => event[0] === "stale cache" || event[0] === "cache dropped"),
    `${who}: had to drop its cache`,
  ).toEqual([]);
  const replies = events.flatMap((event) => (event[0] === "resumed" ? [{ tid: event[2], oids: event[3] }] : []));
  expect(replies.length, `${who}: getInvalidations replies`).toBe(1);
  return replies[0] ?? { tid: "", oids: [] };
}

/** Comes, reads `oids` into its cache file, and leaves. */
async function visit(ground: Ground, name: string, oids: readonly string[], last: string): Promise<PeerClient> {
  const { stage, kind } = ground;
  const client = await stage.open(await stage.process(kind, "observer"), { cache: stage.server.dir, name });
  for (const oid of oids) expect(await client.load(oid), `${oid} at the first visit`).not.toBeNull();
  if (stage.gateway.via === "proxy") expect(await client.lastTransaction()).toBe(last);
  await client.close();
  return client;
}

async function comeBack(ground: Ground, name: string): Promise<PeerClient> {
  const { stage, kind } = ground;
  return stage.open(await stage.process(kind, "observer"), { cache: stage.server.dir, name });
}

export const memory: readonly Scenario[] = [
  {
    name: "resumed with a cache file",
    async run(ground) {
      const { stage, kind, writer } = ground;
      const { created, tid } = await writer.commit({ create: 4 });
      const [a = "", b = "", c = "", d = ""] = created;
      await stage.settled(tid);
      const name = `resume-${kind.peer.name}`;
      await visit(ground, name, [a, b, c, d], tid);

      const changed = await writer.commit({ create: 2, modify: [a] });
      await writer.begin();
      await writer.deleteObject(b);
      await writer.vote();
      await writer.finish();
      const last = await writer.commit({ create: 2 });
      await stage.settled(last.tid);

      const back = await comeBack(ground, name);
      const after = await writer.commit({ modify: [c] });
      await stage.settled(after.tid);
      if (stage.gateway.via !== "proxy") return back.close();
      expect(await back.waitTold(after.tid, 5000), "told after it came back").toBe(true);
      const { tid: resumedTid, oids } = resumedFrom(await back.told(), kind.peer.name);
      expect(resumedTid).toBe(last.tid);
      expect([...oids]).toEqual(expect.arrayContaining([a, b, ...changed.created.slice(0, 2), ...last.created]));
      expect(await back.load(a)).toEqual({ value: 1, serial: changed.tid });
      expect(await back.load(b), "deleted while it was away").toBeNull();
      expect(await back.load(c)).toEqual({ value: 3, serial: after.tid });
      expect(await back.load(d)).toEqual({ value: 3, serial: tid });
      await back.close();
    },
  },
  {
    name: "resumed after creations only",
    async run(ground) {
      // An old server answers with a tid below the one asked for, and the client never gets ready again.
      const { stage, kind, writer } = ground;
      const { created } = await writer.commit({ create: 2 });
      await writer.commit({ modify: created });
      const known = await writer.commit({ create: 1 });
      await stage.settled(known.tid);
      const name = `again-${kind.peer.name}`;
      await visit(ground, name, created, known.tid);
      const last = await writer.commit({ create: 3 });
      await stage.settled(last.tid);
      if (stage.gateway.via !== "proxy") return;
      const back = await comeBack(ground, name);
      const { tid, oids } = resumedFrom(await back.told(), kind.peer.name);
      expect(tid).toBe(last.tid);
      expect([...oids]).toEqual(expect.arrayContaining(last.created));
      const after = await writer.commit({ modify: created });
      await stage.settled(after.tid);
      expect(await back.waitTold(after.tid, 5000), "told after it came back").toBe(true);
      await back.close();
    },
  },
  {
    name: "absence remembered",
    async run({ stage, writer }) {
      const [oid = ""] = await writer.newOids(1);
      for (const observer of stage.observers()) {
        expect(await observer.lookUp(oid)).toEqual({ remembered: false, found: null });
        expect(await observer.lookUp(oid)).toEqual({ remembered: true, found: null });
      }
      await writer.begin();
      await writer.store(oid, 42, { serial: "new" });
      await writer.vote();
      const tid = await writer.finish();
      await stage.settled(tid);
      if (stage.gateway.via !== "proxy") return;
      for (const observer of stage.observers()) {
        expect(await observer.lookUp(oid), observer.kind).toEqual({
          remembered: false,
          found: { value: 42, serial: tid },
        });
      }
    },
  },
];
