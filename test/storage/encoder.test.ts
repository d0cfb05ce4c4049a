import { describe, expect, it } from "vitest";
import { AnnouncementEncoder } from "../../src/storage/encoder.ts";
import { asTid } from "../../src/wire/ids.ts";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";

const oids = Buffer.from("00000000000000010000000000000002", "hex");

describe("an announcement", () => {
  it("is encoded once for each dialect and shape, whoever gets it", () => {
    let encodings = 0;
    const counting = {
      ...pickleCodec,
      encodeInvalidation: (...args: Parameters<typeof pickleCodec.encodeInvalidation>) => {
        encodings++;
        return pickleCodec.encodeInvalidation(...args);
      },
    };
    const encoder = new AnnouncementEncoder();
    const announcement = { tid: asTid(5n), oids };
    const first = encoder.encode(counting, "pickle3", "plain", announcement);
    expect(encoder.encode(counting, "pickle3", "plain", announcement)).toBe(first);
    const others = [
      encoder.encode(counting, "pickle1", "plain", announcement),
      encoder.encode(counting, "pickle1", "pairs", announcement),
      encoder.encode(msgpackCodec, "msgpack", "plain", announcement),
    ];
    expect(encodings).toBe(3);
    expect(new Set([first, ...others].map(({ frame }) => frame.toString("latin1"))).size).toBe(4);
    expect(encoder.encode(counting, "pickle3", "plain", { tid: asTid(5n), oids })).not.toBe(first);
  });

  it("is a frame that reads as what it announces, and stands in nobody's queue yet", () => {
    const encoder = new AnnouncementEncoder();
    for (const [codec, dialect] of [
      [pickleCodec, "pickle3"],
      [pickleCodec, "pickle1"],
      [msgpackCodec, "msgpack"],
    ] as const) {
      const { frame, holders } = encoder.encode(codec, dialect, "plain", { tid: asTid(5n), oids });
      expect(holders).toBe(0);
      expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
      const payload = frame.subarray(4);
      const envelope = codec.peek(payload);
      expect(envelope).toMatchObject({ flags: 1, method: "invalidateTransaction" });
      if (envelope === undefined) return;
      const read = codec.invalidation(payload, envelope);
      expect(read.tid).toBe(5n);
      expect(Buffer.from(read.oids)).toEqual(oids);
    }
  });
});
