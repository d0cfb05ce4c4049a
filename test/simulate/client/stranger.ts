import type { Address } from "../../../src/config/address.ts";
import type { End } from "../end.ts";
import { Link } from "../link.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";

const KINDS = ["probe", "monitor", "tls", "unknown protocol", "garbage", "silent", "half a name"] as const;

export const STRANGERS: readonly string[] = KINDS;

/** Somebody who is no client of a storage connects, says something or nothing, and goes. */
export function stranger(scene: Scene, random: Random, address: Address, subject: number): void {
  const kind = random.pick(KINDS);
  scene.visits.count(`stranger: ${kind}`);
  const link = new Link(0, 0, false, subject);
  link.isRaw = link.isWild = true;
  const cancel = scene.network.dial("stranger", address, {
    failed: () => undefined,
    connected(connection) {
      const end = connection as End;
      end.link = link;
      const leave = (): void => {
        if (random.chance(0.3)) end.break(random.chance(0.5));
        else end.carryOut(random.chance(0.5) ? "end" : "destroy");
        scene.timeline.plan(10_000_000, () => end.carryOut("destroy"));
      };
      say(kind, end, random);
      scene.timeline.plan(kind === "probe" ? 0 : random.below(5_000_000), leave);
      return {
        read() {},
        ended: () => end.carryOut("end"),
        drained() {},
        closed() {},
      };
    },
  });
  if (random.chance(0.1)) scene.timeline.plan(random.below(1000), cancel);
}

function say(kind: (typeof KINDS)[number], end: End, random: Random): void {
  const bytes = said(kind, random);
  if (bytes.length > 0) end.write(bytes);
}

function said(kind: (typeof KINDS)[number], random: Random): Buffer {
  switch (kind) {
    case "probe":
    case "silent":
      return Buffer.alloc(0);
    case "monitor":
      return Buffer.from("\x00\x00\x00\x04ruok", "latin1");
    case "tls":
      return Buffer.from("\x16\x03\x01\x00\x20 client hello, and more of it", "latin1");
    case "unknown protocol":
      return Buffer.from("\x00\x00\x00\x04Z999", "latin1");
    case "half a name":
      return Buffer.from("\x00\x00\x00\x02Z", "latin1");
    case "garbage": {
      const bytes = Buffer.alloc(random.between(1, 100));
      for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
      return bytes;
    }
  }
}
