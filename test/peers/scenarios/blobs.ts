/** Blobs that travel over the wire, and blobs in a directory that client and server share. */

import { expect } from "vitest";
import { join } from "node:path";
import type { Scenario } from "./scenario.ts";

function blobs(name: string, shared: boolean): Scenario {
  return {
    name,
    async run({ stage, kind }) {
      const process = await stage.process(kind, "writer");
      const cache = (who: string): string => join(stage.server.dir, `blob-cache-${kind.peer.name}-${who}`);
      const folder = (who: string): { blob_dir: string; shared_blobs: boolean } =>
        shared
          ? { blob_dir: stage.server.blobDir("1"), shared_blobs: true }
          : { blob_dir: cache(who), shared_blobs: false };
      const writer = await stage.open(process, { db: true, ...folder("writer") });
      const reader = await stage.open(process, { db: true, ...folder("reader") });
      const { tid, created } = await writer.commit({ blobs: 2, create: 1 });
      await stage.settled(tid);
      const [first = "", second = ""] = created.slice(1);
      if (stage.gateway.via === "proxy") {
        await reader.waitTold(tid, 5000);
        expect(await reader.readBlob(second)).toBe("blob 1");
      }
      const last = await writer.commit({ modify_blobs: [first] });
      await stage.settled(last.tid);
      if (stage.gateway.via === "proxy") {
        await reader.waitTold(last.tid, 5000);
        expect(await reader.readBlob(first)).toBe("changed");
      }
      await reader.close();
      await writer.close();
    },
  };
}

export const blobScenarios: readonly Scenario[] = [
  blobs("blobs over the wire", false),
  blobs("blobs in a shared folder", true),
];
