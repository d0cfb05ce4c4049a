import { SlowRelay } from "../relays.ts";
import { ADDRESS, again, tryIt, type Actor, type Scene } from "../scene.ts";
import { STORAGE } from "../site.ts";

const MIB = 1024 * 1024;
/** In MiB for each second: a blob takes from 4 to 16 seconds. */
const RATES = [2, 4, 8];
/** Only a hang reaches it. */
const READ_MS = 90_000;

async function readOne(scene: Scene): Promise<void> {
  const { site, random, tally } = scene;
  const { oid, sha256 } = site.blob;
  const relay = await SlowRelay.start(site.port, ADDRESS.slow, random.pick(RATES) * MIB);
  const kind = random.pick(site.clients);
  const process = await site.process(kind, "slow");
  const folder = site.folder("blobs-of-slow");
  try {
    const client = await process.open(relay.port, {
      db: true,
      storage: STORAGE,
      blob_dir: folder,
      ...site.encoding(kind, random),
    });
    const got = await client.blobDigest(oid, READ_MS);
    if (got.sha256 === sha256) tally.add("slow blobs");
    else tally.problem(`${site.name}: a slow reader has a damaged blob`, `${got.size} bytes, ${kind.peer.name}`);
    await client.close();
  } finally {
    await relay.stop();
    await site.removeFolder(folder);
  }
}

/** Reads a large blob at a limited rate, while others commit. */
export const slow: Actor = async (scene) => {
  await again(scene, 500, 3_000, async () => {
    await tryIt(scene, "a slow reader's blob", () => readOne(scene));
  });
};
