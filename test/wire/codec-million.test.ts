import { describe, expect, it } from "vitest";
import type { Envelope } from "../../src/wire/codec.ts";
import { asTid } from "../../src/wire/ids.ts";
import { DIALECTS, oidsTo } from "./codec-vectors.ts";

const MILLION = 1_000_000;
const TID = asTid(0x040d32f12beed388n);

describe.each(DIALECTS)("a million oids, $dialect", ({ dialect, codec }) => {
  it("are written into one buffer of their size, and read back in one pass", { timeout: 60_000 }, () => {
    const oids = oidsTo(MILLION);
    for (const shape of ["plain", "pairs"] as const) {
      const before = process.memoryUsage().arrayBuffers;
      const began = performance.now();
      const payload = codec.encodeInvalidation(dialect, shape, TID, oids);
      expect(payload.buffer.byteLength).toBe(payload.length);
      const allocated = process.memoryUsage().arrayBuffers - before;
      // The buffer itself, and at most the small ones of the head.
      expect(allocated).toBeLessThan(payload.length + 1024 * 1024);
      const read = codec.invalidation(payload, codec.peek(payload) as Envelope);
      expect(read.tid).toBe(TID);
      expect(read.oids.equals(oids)).toBe(true);
      const reply = codec.encode(dialect, 5, 0, ".reply", null);
      const envelope = codec.peek(reply) as Envelope;
      const changed = codec.encodeInvalidationsReply(reply, envelope, dialect, shape, read);
      expect(codec.invalidationsReply(changed, envelope)?.oids.equals(oids)).toBe(true);
      expect(performance.now() - began).toBeLessThan(20_000);
    }
  });
});
