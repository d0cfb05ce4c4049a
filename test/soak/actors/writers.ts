import { again, tryIt, type Actor, type Scene } from "../scene.ts";
import { STORAGE } from "../site.ts";

const WRITERS = 2;
const COMMITS = 8;
const CONNECTED_MS = 30_000;

async function writer(scene: Scene): Promise<void> {
  const { site, random, tally } = scene;
  const client = await site.client(random, "writers", { db: true, storage: STORAGE });
  await again(scene, 0, 400, async () => {
    const isDone = await tryIt(scene, "writing", async () => {
      const { commits } = await client.write({
        count: COMMITS,
        seed: random.below(1_000_000_000),
        shared: site.shared,
        stop_after: 5,
        // If an old server skips a client, and it was an undo, nobody can tell that client what was undone.
        undo: site.server.installed.peer.family === "new",
      });
      tally.add("commits", commits);
    });
    if (!isDone && !(await client.waitConnected(CONNECTED_MS))) {
      tally.problem(`${site.name}: a writer was not connected again`);
    }
  });
  await tryIt(scene, "a writer's leaving", () => client.close());
}

/** Commit all the time: created, modified and deleted objects, some that others write too. */
export const writers: Actor = async (scene) => {
  const own = Array.from({ length: WRITERS }, (_, i) => ({ ...scene, random: scene.random.fork(i) }));
  await Promise.all(own.map(writer));
};
