import { describe, expect, it } from "vitest";
import { FrameAssembler, frameOf, FrameTooLong } from "../../src/embedded/framing.ts";

describe("FrameAssembler", () => {
  const payloads = [Buffer.from("one"), Buffer.alloc(0), Buffer.alloc(300, "x"), Buffer.from("last")];
  const stream = Buffer.concat(payloads.map(frameOf));

  it("finds the same payloads wherever the stream is cut", () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const assembler = new FrameAssembler(1000);
      const found = [stream.subarray(0, cut), stream.subarray(cut)].flatMap((chunk) => assembler.push(chunk));
      expect(found).toEqual(payloads);
      expect(assembler.empty).toBe(true);
    }
  });

  it("finds them in single bytes", () => {
    const assembler = new FrameAssembler(1000);
    const found = [...stream].flatMap((byte) =>
      assembler.push(Buffer.from([byte])).map((payload) => Buffer.from(payload)),
    );
    expect(found).toEqual(payloads);
  });

  it("refuses an announced length above the limit before its bytes come", () => {
    const assembler = new FrameAssembler(10);
    expect(() => assembler.push(Buffer.from([0, 0, 0, 11]))).toThrow(FrameTooLong);
    expect(() => new FrameAssembler(10).push(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toThrow(FrameTooLong);
  });
});
