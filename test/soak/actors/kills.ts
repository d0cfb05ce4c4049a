import { PeerProcess } from "../../peers/client.ts";
import { pause } from "../pause.ts";
import { again, tryIt, type Actor, type Scene } from "../scene.ts";
import { STORAGE } from "../site.ts";

/** When it dies: within a commit at any moment, with a vote behind it, or with its `tpc_finish` on the way. */
const DEATHS = ["writing", "voted", "finishing"] as const;

async function dieOnce(scene: Scene): Promise<void> {
  const { site, random } = scene;
  const death = random.pick(DEATHS);
  const process = await PeerProcess.start(random.pick(site.clients), site.server.dir);
  try {
    const client = await process.open(site.port, { db: death === "writing", storage: STORAGE });
    if (death === "writing") {
      // How it ends is seen below; that it ends so is no news.
      client.write({ count: 1000, seed: random.below(1_000_000), shared: site.shared }).catch(() => undefined);
      await pause(random.between(20, 1500));
      return;
    }
    const [oid = ""] = await client.newOids(1);
    await client.begin();
    await client.store(oid, 1, { serial: "new" });
    await client.vote();
    if (death === "finishing") client.finish().catch(() => undefined);
    await pause(random.between(0, 20));
  } finally {
    await process.kill();
    scene.tally.add("killed");
  }
}

/** Clients whose process is killed while they commit. */
export const kills: Actor = async (scene) => {
  await again(scene, 500, 5_000, async () => {
    await tryIt(scene, "a client that was to be killed", () => dieOnce(scene));
  });
};
