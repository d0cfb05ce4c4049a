import { describe, expect, it } from "vitest";
import { frameOf, lengthOf, recorder } from "./frame-recorder.ts";

describe("a stream", () => {
  it("refuses what is beyond its limits, by the length alone", () => {
    expect(() => recorder().stream.push(lengthOf(1_000_001))).toThrow(
      "frame-too-long at offset 0: expected at most 1000000 bytes, got 1000001",
    );
    expect(() => recorder().stream.push(lengthOf(0xffffffff))).toThrow("frame-too-long");
    expect(() => recorder().stream.push(Buffer.concat([lengthOf(100_001), Buffer.from("H12")]))).toThrow(
      /^message-too-long at offset 0: expected at most 100000 bytes in a message that must be read whole, got 100001$/,
    );
    recorder().stream.push(Buffer.concat([lengthOf(1_000_000), Buffer.from("P12")]));
    recorder().stream.push(Buffer.concat([lengthOf(100_000), Buffer.from("H12")]));
  });

  it("holds as much as the verdict says, where it says that, by the length alone", () => {
    expect(() => recorder().stream.push(Buffer.concat([lengthOf(200_001), Buffer.from("B12")]))).toThrow(
      "expected at most 200000 bytes in a message of that kind, got 200001",
    );
    const { handler, stream } = recorder();
    stream.push(Buffer.concat([lengthOf(200_000), Buffer.from("B12")]));
    stream.push(Buffer.alloc(199_997, "x"));
    expect(handler.seen).toEqual([{ frame: `${lengthOf(200_000).toString("latin1")}B12${"x".repeat(199_997)}` }]);
    // Also where it is whole.
    const small = recorder({ maxFrameBytes: 1_000_000, maxHeldBytes: 5 });
    expect(() => small.stream.push(frameOf("H12345"))).toThrow("message-too-long");
  });

  it("holds no more memory than has come, whatever length was announced", () => {
    const { stream } = recorder({ maxFrameBytes: 2 ** 31, maxHeldBytes: 2 ** 31 });
    const before = process.memoryUsage().arrayBuffers;
    const head = Buffer.from("7fffffff483131", "hex");
    stream.push(head);
    for (let n = 0; n < 100; n++) stream.push(Buffer.alloc(1000));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });
});
