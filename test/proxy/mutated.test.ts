import { describe, expect, it } from "vitest";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { CAPTURES, readCapture } from "../wire/captured.ts";
import { frameOf } from "./peer.ts";
import { passes, registered, scripted, type Pair } from "./world.ts";

const SESSIONS = 60;
const FRAMES = 12;

/** A small generator: a failing seed can be tried again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

const KINDS = [
  ["Z4", "pickle", true],
  ["Z5", "pickle", false],
  ["M5", "msgpack", false],
] as const;

describe("mutated messages of real peers", () => {
  it.each(KINDS)(
    "end their own %s session at most",
    async (name, encoding, isOld) => {
      const codec = encoding === "pickle" ? pickleCodec : msgpackCodec;
      const dialect = encoding === "msgpack" ? "msgpack" : isOld ? "pickle3-zeo4" : "pickle3";
      const frames = CAPTURES.flatMap((file) => readCapture(file)).filter(
        (frame) =>
          frame.codec === codec && frame.oldServer === isOld && frame.more === 0 && frame.payload.length < 4000,
      );
      expect(frames.length).toBeGreaterThan(100);
      const gateway = await scripted({ greeting: name, codec, dialect }, { log: { level: "error" } });
      const random = randomFrom(name.charCodeAt(0) + name.charCodeAt(1));
      // A mutated reply may have shown a tid above this one: that is another database then, and the next one is welcome.
      const enter = async (): Promise<Pair> => {
        const coding = [isOld ? null : 2n ** 60n, name, codec, dialect] as const;
        return registered(gateway, ...coding).catch(() => registered(gateway, ...coding));
      };
      for (let session = 0; session < SESSIONS; session++) {
        const pair = await enter();
        for (let n = 0; n < FRAMES; n++) {
          const frame = frames[Math.floor(random() * frames.length)];
          if (frame === undefined) continue;
          const payload = Buffer.from(frame.payload);
          for (let change = Math.floor(random() * 3); change > 0; change--) {
            payload[Math.floor(random() * payload.length)] = Math.floor(random() * 256);
          }
          (frame.dir === "c>s" ? pair.client : pair.server).write(frameOf(payload));
        }
        await settled(pair);
        pair.client.socket.destroy();
        pair.server.socket.destroy();
      }
      await gateway.until(() => (gateway.proxy.stats().upstreams[0]?.clients ?? 1) <= 1, "all sessions end");
      expect(gateway.ended.map(({ code }) => code)).not.toContain("internal-error");
      expect(gateway.ended.filter(({ code }) => code.startsWith("guard-"))).toEqual([]);
      expect(gateway.ended.length).toBeGreaterThan(0);
      const good = await enter();
      await passes(good.client, good.server, good.client.encode(99, 0, "ping"));
    },
    30_000,
  );
});

/** The proxy has read what was written: a turn of the loop for each way, and some. */
async function settled({ client, server }: Pair): Promise<void> {
  for (let turn = 0; turn < 8 && !client.ended && !server.ended; turn++)
    await new Promise((resolve) => setImmediate(resolve));
}
