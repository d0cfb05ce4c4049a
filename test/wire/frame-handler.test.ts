import { describe, expect, it } from "vitest";
import { LENGTH_BYTES } from "../../src/wire/frame.ts";
import { frameOf, pushAll, Recorder, recorder, run, summary, type Seen } from "./frame-recorder.ts";

describe("a stream whose handler is exchanged", () => {
  /** What two handlers are told, one after the other, when the stream comes in pieces of this length. */
  function exchanged(bytes: Buffer, size: number): { first: Seen[]; second: Seen[] } {
    const { handler, stream } = recorder();
    const other = new Recorder();
    other.stream = stream;
    handler.other = other;
    pushAll(stream, bytes, size);
    expect(stream.handler).toBe(other);
    return { first: handler.seen, second: other.seen };
  }
  const text = (...payloads: string[]): string => Buffer.concat(payloads.map(frameOf)).toString("latin1");

  it("inside frame(), tells the other one all that comes behind that frame", () => {
    const before = ["P1", "P2"];
    const after = ["P3", "H1", "T1\x04x-the tail", "P4"];
    const bytes = Buffer.from(text(...before, "X1 exchange", ...after), "latin1");
    for (let size = 1; size <= bytes.length; size++) {
      const { first, second } = exchanged(bytes, size);
      expect(first).toEqual([{ flow: text(...before) }, { frame: text("X1 exchange") }]);
      expect(second[1]).toEqual({ frame: text("H1") });
      expect(summary(second)).toEqual(summary(run(Buffer.from(text(...after), "latin1"), [])));
    }
  });

  it("inside begin(), tells the first one that frame to its end", () => {
    const bytes = Buffer.from(text("P1", "Y1 passes", "P2", "H1"), "latin1");
    for (let size = 1; size <= bytes.length; size++) {
      expect(exchanged(bytes, size)).toEqual({
        first: [{ flow: text("P1", "Y1 passes") }],
        second: [{ flow: text("P2") }, { frame: text("H1") }],
      });
    }
  });

  it("from outside, tells the first one the frame that has begun", () => {
    for (const payload of ["P1 passes", "H1 is held", "T1\x05xxtail"]) {
      const bytes = Buffer.from(text("P0", payload, "P2", "H2"), "latin1");
      const begun = 6 + LENGTH_BYTES + 3;
      for (let cut = begun; cut < begun + payload.length - 3; cut++) {
        const { handler, stream } = recorder();
        const other = new Recorder();
        stream.push(bytes.subarray(0, cut));
        stream.handler = other;
        stream.push(bytes.subarray(cut));
        expect(summary(handler.seen)).toEqual(summary(run(Buffer.from(text("P0", payload), "latin1"), [])));
        expect(other.seen).toEqual([{ flow: text("P2") }, { frame: text("H2") }]);
      }
    }
  });

  it("before a head is long enough, or in a stream that is raw, tells the other one", () => {
    const bytes = Buffer.from(text("P0", "P1", "P2"), "latin1");
    for (const raw of [false, true]) {
      const { handler, stream } = recorder();
      const other = new Recorder();
      stream.push(bytes.subarray(0, 11));
      stream.handler = other;
      if (raw) stream.turnRaw();
      stream.push(bytes.subarray(11));
      expect(handler.seen).toEqual([{ flow: text("P0") }]);
      expect(other.seen).toEqual([{ flow: text("P1", "P2") }]);
    }
  });

  it("and that is stopped while the first one's bytes flow, asks the other one nothing", () => {
    const { handler, stream } = recorder();
    const other = new Recorder();
    let begun = 0;
    other.begin = () => {
      begun++;
      return "pass";
    };
    handler.stream = stream;
    handler.other = other;
    handler.flow = () => stream.stop();
    stream.push(Buffer.from(text("Y1", "P2"), "latin1"));
    expect(begun).toBe(0);
  });

  it("and that turns raw at once, lets flow each one's own bytes", () => {
    const bytes = Buffer.from(text("P0", "X1", "R1", "H1"), "latin1");
    for (let size = 1; size <= bytes.length; size++) {
      const { first, second } = exchanged(bytes, size);
      expect(first).toEqual([{ flow: text("P0") }, { frame: text("X1") }]);
      expect(second).toEqual([{ frame: text("R1") }, { flow: text("H1") }]);
    }
  });
});
