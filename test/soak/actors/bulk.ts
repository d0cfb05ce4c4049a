import { again, tryIt, type Actor } from "../scene.ts";
import { STORAGE } from "../site.ts";

/** The answer to its vote on an old server, and the invalidation of as many that are changed, are long lists. */
const OBJECTS = 7_000;

/** Creates thousands of objects in one transaction now and then, and changes them in the next. */
export const bulk: Actor = async (scene) => {
  const { site, random, tally } = scene;
  const client = await site.client(random, "bulk", { db: true, storage: STORAGE });
  await again(scene, 8_000, 30_000, async () => {
    await tryIt(scene, "a large transaction", async () => {
      const { created } = await client.commit({ create: OBJECTS });
      tally.add("large");
      await client.commit({ modify: created });
      tally.add("large");
    });
  });
  await tryIt(scene, "leaving after large transactions", () => client.close());
};
