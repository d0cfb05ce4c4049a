import type { Address } from "../../../src/config/address.ts";
import type { End } from "../end.ts";
import { Link, type Through } from "../link.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";
import { MONITOR_ANSWER, TLS_ANSWER } from "../server/conn.ts";
import { KINDS as SERVERS } from "../style.ts";
import { Violation } from "../violation.ts";

const KINDS = ["probe", "monitor", "tls", "unknown protocol", "garbage", "silent", "half a name"] as const;

export const STRANGERS: readonly string[] = KINDS;

/** A greeting, and what may follow it; a squatter says nothing. */
const ANSWERS: readonly string[] = SERVERS.flatMap(({ greeting }) => {
  const frame = `\x00\x00\x00${String.fromCharCode(greeting.length)}${greeting}`;
  return [frame + TLS_ANSWER.toString("latin1"), frame + MONITOR_ANSWER.toString("latin1")];
});

/** Somebody who is no client of a storage connects, says something or nothing, and goes. */
export function stranger(scene: Scene, random: Random, address: Address, through: Through): void {
  const kind = random.pick(KINDS);
  scene.visits.count(`stranger: ${kind}`);
  const link = new Link(0, 0, false, through);
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
      const said = words(kind, random);
      link.rawSaid = said;
      if (said.length > 0) end.write(said);
      let heard = "";
      scene.timeline.plan(kind === "probe" ? 0 : random.below(5_000_000), leave);
      end.handOver({
        read(bytes) {
          heard += bytes.toString("latin1");
          if (!ANSWERS.some((answer) => answer.startsWith(heard))) {
            scene.fail(new Violation("3 raw", `a stranger (${kind}) is answered "${heard.replace(/[^ -~]/g, ".")}"`));
          }
        },
        ended: () => end.carryOut("end"),
        drained() {},
        closed() {},
      });
    },
  });
  if (random.chance(0.1)) scene.timeline.plan(random.below(1000), cancel);
}

/** What nobody in use does longer than this, whatever its way to the server is like. */
const IDLE_US = 30_000_000;

/** Somebody connects, names a protocol or says nothing, and stays: a subject that repairs must let him go. */
export function idler(scene: Scene, random: Random, address: Address, through: Through): void {
  const name = random.pick(["", "", "Z5", "Z4", "M5"]);
  scene.visits.count(`stranger: idle${name === "" ? "" : ", named"}`);
  const link = new Link(0, 0, false, through);
  link.isRaw = link.isWild = true;
  scene.network.dial("stranger", address, {
    failed: () => undefined,
    connected(connection) {
      const end = connection as End;
      end.link = link;
      link.rawSaid =
        name === "" ? Buffer.alloc(0) : Buffer.from(`\x00\x00\x00${String.fromCharCode(name.length)}${name}`);
      if (name !== "") end.write(link.rawSaid);
      scene.timeline.plan(IDLE_US, () => {
        if (end.isOpen && end.other.isOpen && end.other.isSubjects && scene.repairs) {
          scene.fail(new Violation("7 idle", `somebody who does not register is still connected: ${end.describe()}`));
        }
        end.carryOut("destroy");
      });
      // Nor does he close his half when the other one is closed.
      end.handOver({ read() {}, ended() {}, drained() {}, closed() {} });
    },
  });
}

function words(kind: (typeof KINDS)[number], random: Random): Buffer {
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
