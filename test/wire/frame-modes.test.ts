import { describe, expect, it } from "vitest";
import { FrameStream, LENGTH_BYTES } from "../../src/wire/frame.ts";
import { bytesOf, frameOf, LIMITS, recorder, run } from "./frame-recorder.ts";

describe("a stream", () => {
  it("turns raw at a MAC, and lets everything flow from there", () => {
    const mac = Buffer.concat([Buffer.from("80000002", "hex"), Buffer.alloc(20, 1), Buffer.from("H1")]);
    const bytes = Buffer.concat([frameOf("P1"), frameOf("H1"), mac, frameOf("H2"), Buffer.from("x")]);
    const whole = run(bytes, [], true);
    const behind = Buffer.concat([mac, frameOf("H2"), Buffer.from("x")]).toString("latin1");
    expect(whole).toEqual([{ flow: "\0\0\0\x02P1" }, { frame: "\0\0\0\x02H1" }, "mac", { flow: behind }]);
    for (let cut = 0; cut <= bytes.length; cut++) expect(run(bytes, [cut], true)).toEqual(whole);
    expect(() => run(bytes, [])).toThrow("frame-too-long");
  });

  it("turns raw at the MAC of an empty payload, too", () => {
    const bytes = Buffer.concat([Buffer.from("80000000", "hex"), Buffer.alloc(20, 1)]);
    expect(run(bytes, [], true)).toEqual(["mac", { flow: bytes.toString("latin1") }]);
  });

  it("needs no handler that wants to know of MACs and tails", () => {
    let flowed = "";
    const stream = new FrameStream(
      { begin: () => 1, flow: (bytes) => (flowed += bytes.toString("latin1")), frame: () => undefined },
      LIMITS,
    );
    stream.macs = true;
    stream.push(Buffer.concat([frameOf("T1"), Buffer.from("80000002", "hex")]));
    expect(flowed).toBe("\0\0\0\x02T1\x80\0\0\x02");
    expect(stream.isRaw).toBe(true);
  });

  it("that is stopped, or turned raw, while bytes flow looks at nothing behind them", () => {
    for (const end of ["stop", "turnRaw"] as const) {
      for (const next of ["H1", "P"]) {
        const { handler, stream } = recorder();
        const bytes = Buffer.concat([frameOf("P1"), next === "P" ? frameOf("P2").subarray(0, 5) : frameOf(next)]);
        let flowed = "";
        handler.flow = (slice) => {
          if (flowed === "") stream[end]();
          flowed += slice.toString("latin1");
        };
        stream.push(bytes);
        expect(handler.seen).toEqual([]);
        expect(flowed).toBe(bytes.toString("latin1", 0, end === "stop" ? 6 : bytes.length));
      }
    }
  });

  it("turned raw from outside, lets flow what it had kept back", () => {
    for (const payload of ["H123456", "P123456", "T1\x04xxxx", "E1\x03xxxx"]) {
      const bytes = Buffer.concat([frameOf("P0"), frameOf(payload)]);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const { handler, stream } = recorder();
        stream.push(bytes.subarray(0, cut));
        stream.turnRaw();
        stream.push(bytes.subarray(cut));
        expect(bytesOf(handler.seen)).toBe(bytes.toString("latin1"));
        expect(stream.isRaw).toBe(true);
      }
    }
  });

  it.each(["P1", "H123", "T1\x02tail"])("that is stopped inside %j tells nothing any more", (payload) => {
    const bytes = Buffer.concat([frameOf(payload), frameOf("H1")]);
    for (let cut = 0; cut < LENGTH_BYTES + payload.length; cut++) {
      const { handler, stream } = recorder();
      stream.push(bytes.subarray(0, cut));
      const before = [...handler.seen];
      stream.stop();
      stream.turnRaw();
      expect(stream.isRaw).toBe(false);
      stream.push(bytes.subarray(cut));
      expect(handler.seen).toEqual(before);
    }
  });

  it("that is stopped inside begin() lets nothing of that chunk flow", () => {
    const { handler, stream } = recorder();
    handler.begin = (head) => {
      if (head.toString() === "P2") stream.stop();
      return "pass";
    };
    stream.push(Buffer.concat([frameOf("P1"), frameOf("P2"), frameOf("P3")]));
    expect(handler.seen).toEqual([]);
  });
});
