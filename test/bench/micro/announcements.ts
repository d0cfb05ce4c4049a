import { bench, group } from "mitata";
import type { Codec, Dialect } from "../../../src/wire/codec.ts";
import { asTid } from "../../../src/wire/ids.ts";
import { msgpackCodec } from "../../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../../src/wire/pickle-codec.ts";
import { sortedOids } from "./samples.ts";

const TID = asTid(0x03_0d3c_97e7n);
const WRITERS: readonly (readonly [Codec, Dialect])[] = [
  [pickleCodec, "pickle3"],
  [msgpackCodec, "msgpack"],
];

export function announcementBenches(): void {
  for (const [codec, dialect] of WRITERS) {
    group(`announcements, ${dialect}`, () => {
      for (const count of [10, 1_000, 100_000]) {
        const oids = sortedOids(count);
        const payload = codec.encodeInvalidation(dialect, "plain", TID, oids);
        const envelope = codec.peek(payload);
        if (envelope === undefined) throw new Error("an announcement has a head");
        bench(`${dialect}: encode ${count}`, () => codec.encodeInvalidation(dialect, "plain", TID, oids));
        bench(`${dialect}: read ${count}`, () => codec.invalidation(payload, envelope));
      }
    });
  }
}
