/** History that is copied into a database in use: who works there goes on, and verifies once, behind the next commit. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PeerProcess, type PeerClient } from "../client.ts";
import { openGateway } from "../gateway.ts";
import { install } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { startServer } from "../server.ts";

/** Only a hang takes so long. */
const HANG_MS = 60_000;

describe.each(["zodb3-py27", "zeo4-py27", "zeo4-py36", "zeo521-py37", "zeo62-py312"])("before %s", (name) => {
  test("its other clients are never shut out, and then have what was copied", async (context) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") return context.skip(`${name}: ${result.why}`);
    const server = await startServer(result.installed, { storages: ["1", "source"] });
    const gateway = await openGateway("proxy", server.port);
    const processes = [1, 2].map(() => PeerProcess.start(result.installed, server.dir));
    try {
      const [busy, idle] = await Promise.all(processes);
      if (busy === undefined || idle === undefined) throw new Error("two processes");
      const codes = (): unknown => gateway.ended.map((one) => one.split(" ").at(-1));
      const source = await busy.open(server.port, { storage: "source", db: true });
      const { created: old } = await source.commit({ create: 10 });
      for (let i = 0; i < 20; i++) await source.commit({ modify: old.slice(i % 10, (i % 10) + 1) });
      await source.close();

      const writer = await busy.open(gateway.port, { db: true });
      const { created } = await writer.commit({ create: 12 });
      expect(created.slice(0, 10)).toEqual(old);
      const others = created.slice(10);
      const reader = await idle.open(gateway.port, { db: true });
      const all = (client: PeerClient): Promise<unknown> => Promise.all(old.map((oid) => client.load(oid)));
      const cached = await all(reader);
      const before = await reader.about();

      const copier = await busy.open(gateway.port);
      await copier.copyFrom(join(server.dir, "source.fs"));
      expect(await reader.about()).toEqual(before);
      expect(gateway.ended).toEqual([]);
      await copier.close();

      // Who has copied is gone only when the proxy has read its connections to their ends.
      const nextCommit = async (): Promise<unknown> => {
        await writer.commit({ modify: others });
        return codes();
      };
      await expect.poll(nextCommit, { timeout: HANG_MS }).toEqual(["copied-history"]);
      const fresh = await busy.open(server.port);
      const now = await all(fresh);
      expect(now).not.toEqual(cached);
      // Its own process sees later that it was ended: till then it has what it had.
      await expect.poll(() => all(reader), { timeout: HANG_MS }).toEqual(now);

      // Who has made that commit is behind, too.
      await reader.commit({ modify: others });
      await expect.poll(codes, { timeout: HANG_MS }).toEqual(["copied-history", "copied-history"]);
      await expect.poll(() => all(writer), { timeout: HANG_MS }).toEqual(now);
      await writer.commit({ modify: others });
      expect(gateway.ended).toHaveLength(2);
    } finally {
      for (const process of await Promise.allSettled(processes)) {
        if (process.status === "fulfilled") await process.value.stop();
      }
      await gateway.stop();
      await server.stop();
    }
  });
});
