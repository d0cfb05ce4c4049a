import { pause, within } from "../pause.ts";
import { greeting, RawConnection } from "../raw.ts";
import { ADDRESS, again, type Actor, type Scene } from "../scene.ts";

const AT_ONCE = 4;
/** After its half was closed, the other half is closed by the proxy. Only a hang reaches it. */
const HALF_MS = 20_000;

const MOMENTS = [
  "before it is connected",
  "at once",
  "soon",
  "when it is greeted",
  "inside its greeting",
  "behind its greeting",
  "half",
] as const;

async function probe(scene: Scene): Promise<void> {
  const { site, random, tally } = scene;
  const how = random.pick(["close", "reset"] as const);
  const moment = random.pick(MOMENTS);
  const afterMs = random.below(40);
  const cut = 1 + random.below(5);
  const connection = new RawConnection(site.anyPort(random), ADDRESS.probes);
  tally.add("probes");
  if (moment === "before it is connected") {
    connection.leave(how);
    return;
  }
  const opened = await connection.opened;
  if (opened !== "open") {
    if (opened === "ECONNREFUSED") tally.problem(`${site.name}: a probe was refused`);
    return;
  }
  const hello = greeting(site.server.installed.peer.family);
  if (moment === "soon") await pause(afterMs);
  if (moment === "when it is greeted") await within(connection.greeted, 1_000);
  if (moment === "inside its greeting") connection.send(hello.subarray(0, cut));
  if (moment === "behind its greeting") connection.send(hello);
  if (moment === "inside its greeting" || moment === "behind its greeting") await pause(afterMs);
  if (moment === "half") {
    connection.endHalf();
    if (!(await within(connection.closed, HALF_MS)))
      tally.problem(`${site.name}: a probe that closed its half was kept`, `${HALF_MS} ms`);
  }
  connection.leave(how);
}

/** Connections that are closed or reset at all moments before they are anyone's. */
export const probes: Actor = async (scene) => {
  const underway = new Set<Promise<void>>();
  await again(scene, 30, 300, async () => {
    for (let i = scene.random.between(1, AT_ONCE); i > 0; i--) {
      const one = probe(scene);
      underway.add(one);
      void one.finally(() => underway.delete(one));
    }
    await pause(0);
  });
  await Promise.all(underway);
};
