import { describe, expect, it } from "vitest";
import { frameOf, pushAll, recorder, run, summary, tailsOf } from "./frame-recorder.ts";

describe("a stream", () => {
  it("tells a passing frame's tail from the offset asked for, and lets it flow", () => {
    const payload = `T1${String.fromCharCode(50)}${"x".repeat(47)}the tail`;
    const bytes = Buffer.concat([frameOf("P0"), frameOf(payload), frameOf("P1")]);
    for (let cut = 0; cut < bytes.length; cut++) {
      const seen = run(bytes, [cut, 7]);
      const { tails, bytes: flowed } = summary(seen) as { tails: unknown[]; bytes: string };
      expect(flowed).toBe(bytes.toString("latin1"));
      expect(tails).toEqual([{ tail: "the tail" }]);
    }
  });

  it("tells an empty tail of a payload that ends before it", () => {
    const bytes = Buffer.concat([frameOf("T1\x30short"), frameOf("H1")]);
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(summary(run(bytes, [cut]))).toMatchObject({ tails: [{ tail: "" }] });
    }
  });

  it("tells a tail as a slice of the chunk that has it whole", () => {
    const { handler, stream } = recorder();
    const bytes = frameOf("T1\x05xxtail");
    let tail: Buffer | undefined;
    handler.tail = (slice) => (tail = slice);
    stream.push(bytes);
    expect(tail?.toString()).toBe("tail");
    expect(tail?.buffer).toBe(bytes.buffer);
  });

  it.each([100_000, 10_000, 1000])("refuses a tail of more than 64 KiB, in pieces of %i", (size) => {
    /** What is thrown for a tail of this length behind so many bytes of data. */
    function pushed(data: number, tail: number): void {
      const { handler, stream } = recorder();
      handler.begin = () => data;
      const bytes = frameOf("x".repeat(data + tail));
      pushAll(stream, bytes, size);
      expect(tailsOf(handler.seen)).toEqual([{ tail: "x".repeat(tail) }]);
    }
    for (const data of [0, 5, 200_000]) {
      pushed(data, 65_536);
      expect(() => pushed(data, 65_537)).toThrow(/^bad-store at offset \d+: expected at most 65536 bytes.*, got more$/);
    }
  });
});
