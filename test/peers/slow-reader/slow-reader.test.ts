/** A blob that is read slowly while somebody commits: through the proxy as without it. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SlowRelay } from "../../soak/relays.ts";
import { PeerProcess } from "../client.ts";
import { openGateway } from "../gateway.ts";
import { install } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { startServer } from "../server.ts";
import { LOOPBACK } from "../sockets.ts";

const MIB = 1024 * 1024;
const BLOB_BYTES = 30 * MIB;
const BYTES_PER_SECOND = 6 * MIB;
const BETWEEN_COMMITS_MS = 200;
/** Only a hang takes so long. */
const HANG_MS = 90_000;

describe.each(["zeo4-py36", "zeo521-py37", "zeo62-py312"])("before %s", (name) => {
  test("a slow reader gets all of a blob, and is told of every commit meanwhile", async (context) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") return context.skip(`${name}: ${result.why}`);
    const server = await startServer(result.installed);
    const gateway = await openGateway("proxy", server.port);
    const relay = await SlowRelay.start(gateway.port, LOOPBACK, BYTES_PER_SECOND);
    const processes = [1, 2].map(() => PeerProcess.start(result.installed, server.dir));
    try {
      const [busy, idle] = await Promise.all(processes);
      if (busy === undefined || idle === undefined) throw new Error("two processes");
      const folder = (who: string): { blob_dir: string } => ({ blob_dir: join(server.dir, `blobs-of-${who}`) });
      const writer = await busy.open(gateway.port, { db: true, ...folder("writer") });
      const { oid, sha256 } = await writer.commitBlob(BLOB_BYTES);
      const { created } = await writer.commit({ create: 1 });
      const reader = await idle.open(relay.port, { db: true, ...folder("reader") });
      const before = await reader.about();

      let isRead = false;
      const read = reader.blobDigest(oid, HANG_MS).finally(() => (isRead = true));
      read.catch(() => undefined);
      const committed: string[] = [];
      while (!isRead) {
        // By turns one that an old server says nothing of.
        const changes = committed.length % 2 === 0 ? { create: 1 } : { modify: created };
        committed.push((await writer.commit(changes)).tid);
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_COMMITS_MS));
      }
      expect(await read).toEqual({ size: BLOB_BYTES, sha256 });
      expect(committed.length).toBeGreaterThan(5);
      expect(await reader.waitTold(committed.at(-1) ?? "", HANG_MS)).toBe(true);
      const told = (await reader.told()).flatMap((event) => (event[0] === "invalidation" ? [event[2]] : []));
      expect(told.filter((tid) => committed.includes(tid))).toEqual(committed);
      // It was never away.
      expect(await reader.about()).toEqual(before);
      expect(gateway.ended).toEqual([]);
      expect(gateway.stats()?.upstreams[0]?.accepted).toBe(2);
    } finally {
      for (const process of await Promise.allSettled(processes)) {
        if (process.status === "fulfilled") await process.value.stop();
      }
      await relay.stop();
      await gateway.stop();
      await server.stop();
    }
  });
});
