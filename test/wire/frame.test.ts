import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { framed, FrameStream, LENGTH_BYTES, type FrameHandler } from "../../src/wire/frame.ts";
import { bytesOf, frameOf, LIMITS, pushAll, Recorder, recorder, run, summary, type Seen } from "./frame-recorder.ts";

const SAMPLES: Readonly<Record<string, Buffer>> = {
  "passing frames": Buffer.concat([frameOf("P1"), frameOf("P2 and more"), frameOf("P"), frameOf("P3")]),
  "held frames": Buffer.concat([frameOf("H1"), frameOf("H"), frameOf("H2 and more")]),
  "both, mixed": Buffer.concat([
    frameOf("P1"),
    frameOf("H1"),
    frameOf("P2"),
    frameOf("P3"),
    frameOf("H2"),
    frameOf("H3"),
    frameOf("P4"),
  ]),
  "frames whose last bytes are kept back": Buffer.concat([
    frameOf("P1"),
    frameOf("E1\x04 and its end"),
    frameOf("E2\x05-----"),
    frameOf("H1"),
    frameOf("E3\x01 and another"),
    frameOf("P2"),
  ]),
  "a stop in the middle": Buffer.concat([frameOf("P1"), frameOf("H1"), frameOf("Stop"), frameOf("P2"), frameOf("H2")]),
  "turned raw in the middle": Buffer.concat([
    frameOf("P1"),
    frameOf("H1"),
    frameOf("Raw"),
    frameOf("H2"),
    Buffer.from("anything"),
  ]),
};

describe.each(Object.entries(SAMPLES))("a stream of %s", (_, bytes) => {
  it("tells the same, cut at every byte", () => {
    const whole = run(bytes, []);
    for (let cut = 0; cut <= bytes.length; cut++) expect(run(bytes, [cut])).toEqual(whole);
  });

  it("tells the same, byte for byte", () => {
    expect(
      run(
        bytes,
        Array.from({ length: bytes.length }, () => 1),
      ),
    ).toEqual(run(bytes, []));
  });

  it("hands on every byte once, and held frames whole", () => {
    const whole = run(bytes, []);
    const stop = whole.findIndex((one) => one !== "mac" && "frame" in one && one.frame.includes("Stop"));
    if (stop >= 0) expect(stop).toBe(whole.length - 1);
    else expect(bytesOf(whole)).toBe(bytes.toString("latin1"));
  });
});

describe("a stream", () => {
  it("lets a run of passing frames flow as one slice of the chunk", () => {
    const { handler, stream } = recorder();
    const bytes = Buffer.concat([frameOf("P1"), frameOf("P2"), frameOf("P3")]);
    let flowed: Buffer | undefined;
    handler.flow = (slice) => (flowed = slice);
    stream.push(bytes);
    expect(flowed).toBe(bytes);
  });

  it("lets the rest of a passing frame, and those behind it, flow as one slice of the chunk", () => {
    const { handler, stream } = recorder();
    const bytes = Buffer.concat([frameOf("P1 passing"), frameOf("P2"), frameOf("P3")]);
    stream.push(bytes.subarray(0, 10));
    stream.push(bytes.subarray(10));
    expect(handler.flows).toBe(2);
  });

  it("lets a frame flow before it is whole, and keeps nothing of it", () => {
    const { handler, stream } = recorder();
    const bytes = frameOf(`P1${"x".repeat(900_000)}`);
    for (let at = 0; at < bytes.length; at += 1000) {
      stream.push(bytes.subarray(at, at + 1000));
      const sent = handler.seen.reduce((sum, one) => sum + (one !== "mac" && "flow" in one ? one.flow.length : 0), 0);
      expect(sent).toBe(Math.min(at + 1000, bytes.length));
      expect(stream.midFrame).toBe(at + 1000 < bytes.length);
    }
  });

  it("takes an empty payload for a frame like any other", () => {
    expect(run(Buffer.concat([frameOf(""), frameOf("H1")]), [], true)).toEqual([
      { flow: "\0\0\0\0" },
      { frame: "\0\0\0\x02H1" },
    ]);
  });

  it("hands a held frame over with its payload, and says whether it is a part of the chunk", () => {
    const bytes = Buffer.concat([frameOf("H1"), frameOf("H2 and more")]);
    const { handler, stream }: { handler: FrameHandler; stream: FrameStream } = recorder();
    const views: boolean[] = [];
    handler.frame = (frame, payload, isView) => {
      expect(frame.buffer === bytes.buffer).toBe(isView);
      expect(payload.buffer).toBe(frame.buffer);
      expect(payload.equals(frame.subarray(LENGTH_BYTES))).toBe(true);
      views.push(isView);
    };
    stream.push(bytes.subarray(0, 15));
    stream.push(bytes.subarray(15));
    expect(views).toEqual([true, false]);
  });

  it.each<readonly [string, readonly string[]]>([
    ["heads too short, and passing frames", ["P1", "P2 and more", "P3"]],
    ["held frames", ["H1", "H2 and more", "P1", "H3"]],
    ["tails", ["P1", "T1\x05xxthe tail", "T2\x03the tail", "H1", "T3\x14too short"]],
    ["last bytes that are kept back", ["P1", "E1\x05xxthe end", "H1", "E2\x02xxx"]],
    ["a stream turned raw", ["P1", "H1 held", "R1", "H2 and more"]],
  ])("keeps nothing of a chunk when it has been pushed: %s", (_, payloads) => {
    const bytes = Buffer.concat(payloads.map(frameOf));
    const whole = run(bytes, []);
    for (let first = 1; first < bytes.length; first++) {
      for (let second = first; second < bytes.length; second++) {
        const { handler, stream } = recorder();
        for (const [from, to] of [
          [0, first],
          [first, second],
          [second, bytes.length],
        ]) {
          const chunk = Buffer.from(bytes.subarray(from, to));
          stream.push(chunk);
          chunk.fill("#");
        }
        expect(summary(handler.seen)).toEqual(summary(whole));
      }
    }
  });

  it("knows where in the stream the current frame begins, however it came", () => {
    const bytes = Buffer.concat([frameOf("P1"), frameOf("H1 held"), frameOf("P2 passing")]);
    const starts = [0, 6, 17].map((start) => start + LENGTH_BYTES + 100);
    for (const size of [1, 2, 3, 5, 100]) {
      const handler = new Recorder();
      const stream = new FrameStream(handler, LIMITS, 100);
      const at: number[] = [];
      const plain = new Recorder();
      handler.begin = (head, length) => {
        const verdict = plain.begin(head, length);
        if (verdict !== "more") at.push(stream.payloadOffset);
        return verdict;
      };
      handler.frame = () => at.push(stream.payloadOffset);
      pushAll(stream, bytes, size);
      expect(at).toEqual([starts[0], starts[1], starts[1], starts[2]]);
      expect(stream.received).toBe(100 + bytes.length);
    }
  });

  it("does work between frames: at once, or when the passing frame has flowed to its end", () => {
    const { handler, stream } = recorder();
    const order: string[] = [];
    handler.flow = (bytes) => order.push(bytes.toString("latin1"));
    stream.between(() => order.push("now"));
    const bytes = frameOf("P1234567");
    stream.push(bytes.subarray(0, 8));
    stream.between(() => order.push("first"));
    stream.between(() => order.push("later"));
    stream.push(bytes.subarray(8, 10));
    stream.push(Buffer.concat([bytes.subarray(10), frameOf("P2").subarray(0, 5)]));
    expect(order).toEqual(["now", "\0\0\0\x08P123", "45", "67", "first", "later"]);
    stream.push(frameOf("P2").subarray(5));
    expect(order.slice(6).join("")).toBe("\0\0\0\x02P2");
  });

  it("tells whether it would end inside a frame", () => {
    for (const kind of ["P", "H"]) {
      const { stream } = recorder();
      const bytes = frameOf(`${kind}123456`);
      for (let at = 0; at < bytes.length; at++) {
        expect(stream.truncated).toBe(at > 0);
        stream.push(bytes.subarray(at, at + 1));
      }
      expect(stream.truncated).toBe(false);
    }
  });

  it("lets a frame flow but for its last bytes, which it hands over when they are whole", () => {
    const bytes = Buffer.concat([frameOf("P1"), frameOf("E1\x05 flows, ends"), frameOf("P2")]);
    expect(run(bytes, [])).toEqual([
      { flow: "\0\0\0\x02P1\0\0\0\x0fE1\x05 flows," },
      { frame: " ends" },
      { flow: "\0\0\0\x02P2" },
    ]);
    const { stream } = recorder();
    stream.push(bytes.subarray(0, 21));
    expect(stream.midFrame).toBe(true);
    expect(stream.keptBytes).toBeLessThan(10);
  });

  it("lets flow what has passed before a frame, and asks for it once more", () => {
    const { handler, stream } = recorder();
    const plain = new Recorder();
    const order: string[] = [];
    let asked = false;
    handler.begin = (head, length) => {
      if (head.toString("latin1", 0, 2) !== "P2" || asked) return plain.begin(head, length);
      asked = true;
      order.push("asked");
      return "flush";
    };
    handler.flow = (bytes) => order.push(bytes.toString("latin1"));
    stream.push(Buffer.concat([frameOf("P0"), frameOf("P1"), frameOf("P2"), frameOf("P3")]));
    expect(order).toEqual(["asked", "\0\0\0\x02P0\0\0\0\x02P1", "\0\0\0\x02P2\0\0\0\x02P3"]);
  });

  it("looks at nothing behind a frame that waits, until it is to look again", () => {
    const bytes = Buffer.concat([frameOf("P1"), frameOf("W1 waits"), frameOf("H1"), frameOf("P2")]);
    const whole = run(bytes, []);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { handler, stream } = recorder();
      handler.waits = true;
      stream.push(bytes.subarray(0, cut));
      stream.push(bytes.subarray(cut));
      expect(stream.waits).toBe(true);
      expect(stream.truncated).toBe(false);
      expect(stream.midFrame).toBe(false);
      expect(stream.keptBytes).toBe(bytes.length - 6);
      expect(summary(handler.seen)).toMatchObject({ bytes: "\0\0\0\x02P1" });
      stream.again();
      expect(stream.waits).toBe(true);
      const { asked } = handler;
      stream.push(Buffer.alloc(0));
      expect(handler.asked).toBe(asked);
      handler.waits = false;
      stream.again();
      expect(summary(handler.seen)).toEqual(summary(whole));
      stream.again();
      expect(stream.received).toBe(bytes.length);
    }
  });

  it.each(["turnRaw", "stop"] as const)("waits for nothing behind %s", (change) => {
    const { handler, stream } = recorder();
    handler.waits = true;
    stream.push(frameOf("W1 waits"));
    expect(stream.waits).toBe(true);
    stream[change]();
    expect(stream.waits).toBe(false);
  });

  it("is not told the end of a frame by whom it stops while that flows, and has work done behind it", () => {
    const frame = frameOf("E1\x04flows, end");
    const order: string[] = [];
    const { handler, stream } = recorder();
    handler.ending = (bytes) => order.push(bytes.toString());
    stream.push(frame.subarray(0, 10));
    stream.between(() => order.push("between"));
    stream.push(Buffer.concat([frame.subarray(10), frameOf("P1")]));
    expect(order).toEqual([" end", "between"]);
    stream.push(frame.subarray(0, 10));
    handler.flow = () => stream.stop();
    stream.push(frame.subarray(10));
    expect(order).toEqual([" end", "between"]);
  });

  it("tells the same of any frames in any pieces", () => {
    const payload = fc
      .tuple(
        fc.constantFrom("P", "P", "H", "T", "S", "R"),
        fc.integer({ min: 3, max: 40 }),
        fc.string({ minLength: 0, maxLength: 60, unit: "binary-ascii" }),
      )
      .map(
        ([kind, offset, rest]) =>
          `${kind}${kind === "P" && rest === "" ? "" : `-${String.fromCharCode(offset)}${rest}`}`,
      );
    const pieces = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 12 }), pieces, (payloads, lengths) => {
        const bytes = Buffer.concat(payloads.map(frameOf));
        const whole = run(bytes, []);
        const cut = run(bytes, lengths);
        expect(summary(cut)).toEqual(summary(whole));
        const withoutTails = (seen: readonly Seen[]) => merged(seen.filter((one) => one === "mac" || !("tail" in one)));
        expect(withoutTails(cut)).toEqual(withoutTails(whole));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Neighbouring flows as one. */
function merged(seen: readonly Seen[]): Seen[] {
  const out: Seen[] = [];
  for (const one of seen) {
    const last = out.at(-1);
    if (one !== "mac" && "flow" in one && last !== undefined && last !== "mac" && "flow" in last)
      out[out.length - 1] = { flow: last.flow + one.flow };
    else out.push(one);
  }
  return out;
}

it("a payload gets its length before it", () => {
  expect(framed(Buffer.from("abc"))).toEqual(Buffer.from("\0\0\0\x03abc"));
  expect(framed(Buffer.alloc(0))).toEqual(Buffer.alloc(4));
});
