import { hostileCall } from "../hostile.ts";
import { pause, within } from "../pause.ts";
import { frame, greeting, RawConnection } from "../raw.ts";
import { conversations, mutated, randomBytes, type Conversation } from "../recorded.ts";
import { ADDRESS, again, type Actor, type Scene } from "../scene.ts";
import { GARBAGE_STORAGE } from "../site.ts";
import type { Random } from "../../simulate/random.ts";

const KINDS = [
  "random bytes",
  "random bytes behind a greeting",
  "a recorded conversation, mutated",
  "a recorded conversation, mutated",
  "a recorded conversation, cut off",
  "hostile calls",
  "hostile calls",
  "another protocol",
  "a length that is not true",
] as const;

const OTHERS = [
  Buffer.of(0x16),
  Buffer.from("16030100c8010000c403037f0a", "hex"),
  Buffer.from("GET / HTTP/1.1\r\nHost: zeo\r\n\r\n", "latin1"),
  Buffer.from("\r\n\r\n", "latin1"),
  frame("ruok"),
  frame("Z999"),
  frame("M9"),
];

/** Messages as their sender would frame them. */
function framed(messages: readonly Buffer[]): Buffer {
  return Buffer.concat(messages.map(frame));
}

function register(encoding: "pickle" | "msgpack"): Buffer {
  return encoding === "pickle"
    ? Buffer.from(`\x80\x02(K\x01K\0U\x08register(U\x01${GARBAGE_STORAGE}K\0tt.`, "latin1")
    : Buffer.from(`\x94\x01\xc2\xa8register\x92\xa1${GARBAGE_STORAGE}\xc2`, "latin1");
}

/** What it says, in the parts in which it says it. */
function says(scene: Scene, all: readonly Conversation[]): Buffer[] {
  const { random, site } = scene;
  const { family } = site.server.installed.peer;
  const hello = greeting(family);
  switch (random.pick(KINDS)) {
    case "random bytes":
      return [randomBytes(random, random.between(1, 3_000))];
    case "random bytes behind a greeting":
      return [hello, randomBytes(random, random.between(1, 3_000))];
    case "a recorded conversation, mutated":
      return recorded(random, all).map((message) => frame(random.chance(0.2) ? mutated(message, random) : message));
    case "a recorded conversation, cut off": {
      const whole = framed(recorded(random, all));
      return [whole.subarray(0, random.between(1, whole.length))];
    }
    case "hostile calls": {
      const encoding = family === "new" && random.chance(0.5) ? "msgpack" : "pickle";
      const calls = Array.from({ length: random.between(1, 4) }, () => hostileCall(random, encoding));
      // One in four does not register before.
      const first = random.chance(0.25) ? [] : [frame(register(encoding))];
      return [encoding === "pickle" ? hello : frame("M5"), ...first, framed(calls)];
    }
    case "another protocol":
      return [random.pick(OTHERS)];
    case "a length that is not true": {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(random.pick([0, 1, 0x7fff_ffff, 0xffff_ffff, 0x80_0000, 0x100_0000]));
      return [...(random.chance(0.7) ? [hello] : []), length, randomBytes(random, random.between(0, 500))];
    }
  }
}

/** A conversation, or the first part of one. */
function recorded(random: Random, all: readonly Conversation[]): Buffer[] {
  const whole = random.pick(all);
  return whole.slice(0, random.between(2, whole.length));
}

async function speak(scene: Scene, all: readonly Conversation[]): Promise<void> {
  const { site, random, tally } = scene;
  const parts = says(scene, all);
  const how = random.pick(["close", "reset"] as const);
  const pauses = parts.map(() => (random.chance(0.3) ? random.between(1, 30) : 0));
  const stays = random.between(0, 800);
  const connection = new RawConnection(site.anyPort(random), ADDRESS.garbage);
  const opened = await connection.opened;
  if (opened === "ECONNREFUSED") tally.problem(`${site.name}: a connection for garbage was refused`);
  if (opened !== "open") return;
  tally.add("garbage");
  for (const [i, part] of parts.entries()) {
    const ms = pauses[i] ?? 0;
    if (ms > 0) await within(connection.closed, ms);
    connection.send(part);
  }
  await within(connection.closed, stays);
  connection.leave(how);
}

/** Bytes that no client says: random ones, recorded ones that were changed or cut off, messages that are made to hurt. */
export const garbage: Actor = async (scene) => {
  const all = conversations(scene.site.server.installed.peer.family);
  const speaking = new Set<Promise<void>>();
  await again(scene, 20, 250, async () => {
    const one = speak(scene, all);
    speaking.add(one);
    void one.finally(() => speaking.delete(one));
    await pause(0);
  });
  await Promise.all(speaking);
};
