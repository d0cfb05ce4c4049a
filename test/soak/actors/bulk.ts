import { again, tryIt, type Actor } from "../scene.ts";
import { STORAGE } from "../site.ts";

/** Its invalidation and the answer to its vote are above `limits.decode`. */
const OBJECTS = 9_000;

/** Creates thousands of objects in one transaction now and then. */
export const bulk: Actor = async (scene) => {
  const { site, random, tally } = scene;
  const client = await site.client(random, "bulk", { db: true, storage: STORAGE });
  await again(scene, 8_000, 30_000, async () => {
    await tryIt(scene, "a large transaction", async () => {
      await client.commit({ create: OBJECTS });
      tally.add("large");
    });
  });
  await tryIt(scene, "leaving after large transactions", () => client.close());
};
