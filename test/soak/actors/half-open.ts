import { pause, within } from "../pause.ts";
import { HANDSHAKE_MS } from "../proxy-process.ts";
import { frame, greeting, RawConnection } from "../raw.ts";
import { ADDRESS, again, type Actor, type Scene } from "../scene.ts";

/** Nobody who has not registered is kept for longer than `limits.handshake`; the machine may be busy. */
const KEPT_MS = HANDSHAKE_MS + 15_000;

const KINDS = ["silent", "greeted", "inside its greeting", "inside a frame", "asked before it registered"] as const;

/** Of all protocols: what half of it is, nobody can tell. */
const REGISTER = frame(
  Buffer.concat([Buffer.from("\x80\x02(K\x01K\0U\x08register(U\x03", "latin1"), Buffer.alloc(1000)]),
);

function says(scene: Scene, kind: (typeof KINDS)[number]): Buffer {
  const hello = greeting(scene.site.server.installed.peer.family);
  switch (kind) {
    case "silent":
      return Buffer.alloc(0);
    case "greeted":
      return hello;
    case "inside its greeting":
      return hello.subarray(0, scene.random.between(1, hello.length - 1));
    case "inside a frame":
      return Buffer.concat([hello, REGISTER.subarray(0, scene.random.between(1, REGISTER.length - 1))]);
    case "asked before it registered":
      return Buffer.concat([hello, frame("\x80\x02(K\x01K\0U\x0fgetAuthProtocol)t.")]);
  }
}

async function stay(scene: Scene): Promise<void> {
  const { site, random, tally } = scene;
  const kind = random.pick(KINDS);
  const bytes = says(scene, kind);
  const connection = new RawConnection(site.anyPort(random), ADDRESS["half-open"]);
  const began = performance.now();
  if ((await connection.opened) !== "open") return;
  tally.add("half-open");
  connection.send(bytes);
  await within(connection.closed, KEPT_MS, scene.over);
  if (performance.now() - began >= KEPT_MS) tally.problem(`${site.name}: a half-open connection is kept`, kind);
  connection.leave("close");
}

/** Connections that say nothing, or too little, and stay. */
export const halfOpen: Actor = async (scene) => {
  const staying = new Set<Promise<void>>();
  await again(scene, 300, 900, async () => {
    const one = stay(scene);
    staying.add(one);
    void one.finally(() => staying.delete(one));
    await pause(0);
  });
  await Promise.all(staying);
};
