import { systemClock } from "../../net/system-clock.ts";
import type { Range, RangeRead } from "../../storage/witness.ts";
import { Witness } from "../../witness/witness.ts";
import { TargetTransport } from "../target-transport.ts";
import type { Site } from "./site.ts";

/** No more than that is looked at. */
const MOST = { transactions: 1_000, oidBytes: 1024 * 1024, rangeMs: 10_000 };

/** The transactions of a range of a storage, read over a connection of its own, which is then closed. */
export function readRange(site: Site, storage: string, range: Range): Promise<RangeRead> {
  const { target, tls, timeoutMs } = site;
  return new Promise((resolve) => {
    const end = (read: RangeRead): void => {
      witness.stop();
      resolve(read);
    };
    const failed = (reason: string): void => end({ kind: "failed", reason });
    const witness = new Witness({
      server: { host: "", port: 1 },
      storage,
      dialling: { transport: new TargetTransport(target, tls), clock: systemClock, timeoutMs },
      limits: { ...MOST, answerMs: timeoutMs },
      told: {
        up: () => witness.read(range, () => false, end),
        told: () => undefined,
        down: failed,
        unable: failed,
      },
    });
  });
}
