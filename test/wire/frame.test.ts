import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameStream, LENGTH_BYTES, type FrameHandler, type Verdict, framed } from "../../src/wire/frame.ts";

type Seen = { readonly flow: string } | { readonly frame: string } | { readonly tail: string } | "mac";

const BOUNDED = { maxBytes: 200_000, what: "a message of that kind" };

/**
 * Payloads of these tests say themselves what is to become of them: the first byte is `P` (pass), `H` (hold), `T` (pass,
 * and the tail is wanted from the offset in the third byte on), `S` (hold, and stop), `R` (hold, and turn raw), `X` (hold,
 * and exchange the handler), `B` (hold, with a bound of its own), `Y` (exchange the handler, and pass), `E` (pass but for so many last bytes as the third byte
 * says), `W` (wait while `waits`, then pass). The second byte is there to make a head of one byte
 * too short.
 */
class Recorder implements FrameHandler {
  stream: FrameStream | undefined;
  other: FrameHandler | undefined;
  waits = false;
  readonly seen: Seen[] = [];
  /** Slices of one chunk that flowed. */
  flows = 0;

  begin(head: Buffer, length: number): Verdict {
    if (head.length < Math.min(3, length)) return "more";
    const kind = String.fromCharCode(head[0] ?? 0);
    if (kind === "T") return head[2] ?? 0;
    if (kind === "E") return { endBytes: head[2] ?? 0 };
    if (kind === "W" && this.waits) return "wait";
    if (kind === "Y") this.#exchange();
    if (kind === "B") return BOUNDED;
    return "HSRX".includes(kind) ? "hold" : "pass";
  }

  flow(bytes: Buffer): void {
    this.flows++;
    const last = this.seen.at(-1);
    const text = bytes.toString("latin1");
    // What counts is the bytes and what comes between them.
    if (last !== undefined && last !== "mac" && "flow" in last)
      this.seen[this.seen.length - 1] = { flow: last.flow + text };
    else this.seen.push({ flow: text });
  }

  frame(frame: Buffer): void {
    this.seen.push({ frame: frame.toString("latin1") });
    const kind = frame[LENGTH_BYTES];
    if (kind === 0x53) this.stream?.stop();
    if (kind === 0x52) this.stream?.turnRaw();
    if (kind === 0x58) this.#exchange();
  }

  #exchange(): void {
    if (this.stream !== undefined && this.other !== undefined) this.stream.handler = this.other;
  }

  mac(): void {
    this.seen.push("mac");
  }

  ending(bytes: Buffer): void {
    this.seen.push({ frame: bytes.toString("latin1") });
  }

  tail(bytes: Buffer): void {
    this.seen.push({ tail: bytes.toString("latin1") });
  }
}

const LIMITS = { maxFrameBytes: 1_000_000, maxHeldBytes: 100_000 };

function recorder(limits = LIMITS): { handler: Recorder; stream: FrameStream } {
  const handler = new Recorder();
  const stream = new FrameStream(handler, limits);
  handler.stream = stream;
  return { handler, stream };
}

function frameOf(payload: string): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, Buffer.from(payload, "latin1")]);
}

/** What a stream tells of these bytes when they come in pieces of the given lengths (the last takes the rest). */
function run(bytes: Buffer, pieces: readonly number[], macs = false): Seen[] {
  const { handler, stream } = recorder();
  stream.macs = macs;
  let at = 0;
  for (const length of [...pieces, bytes.length]) {
    if (at < bytes.length) stream.push(bytes.subarray(at, at + length));
    at += length;
  }
  // A tail is told before the last part that it stands in has flowed: where depends on the pieces.
  return handler.seen;
}

/** Bytes in all, and handler calls in order, without where exactly a tail is told. */
function summary(seen: readonly Seen[]): unknown {
  const bytes = seen
    .map((one) => (one === "mac" || "tail" in one ? "" : "flow" in one ? one.flow : `[${one.frame}]`))
    .join("");
  const tails = seen.filter((one) => one !== "mac" && "tail" in one);
  return { bytes, tails, macs: seen.filter((one) => one === "mac").length };
}

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
    const raw = whole
      .map((one) => (one === "mac" || "tail" in one ? "" : "flow" in one ? one.flow : one.frame))
      .join("");
    const stop = whole.findIndex((one) => one !== "mac" && "frame" in one && one.frame.includes("Stop"));
    if (stop >= 0) expect(stop).toBe(whole.length - 1);
    else expect(raw).toBe(bytes.toString("latin1"));
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

  it("takes an empty payload for a frame like any other", () => {
    expect(run(Buffer.concat([frameOf(""), frameOf("H1")]), [], true)).toEqual([
      { flow: "\0\0\0\0" },
      { frame: "\0\0\0\x02H1" },
    ]);
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

  describe("whose handler is exchanged", () => {
    /** What two handlers are told, one after the other, when the stream comes in pieces of this length. */
    function exchanged(bytes: Buffer, size: number): { first: Seen[]; second: Seen[] } {
      const { handler, stream } = recorder();
      const other = new Recorder();
      other.stream = stream;
      handler.other = other;
      for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size));
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

  it.each([100_000, 10_000, 1000])("refuses a tail of more than 64 KiB, in pieces of %i", (size) => {
    /** What is thrown for a tail of this length behind so many bytes of data. */
    function pushed(data: number, tail: number): void {
      const { handler, stream } = recorder();
      handler.begin = () => data;
      const bytes = frameOf("x".repeat(data + tail));
      for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size));
      expect(handler.seen.filter((one) => one !== "mac" && "tail" in one)).toEqual([{ tail: "x".repeat(tail) }]);
    }
    for (const data of [0, 5, 200_000]) {
      pushed(data, 65_536);
      expect(() => pushed(data, 65_537)).toThrow(/^bad-store at offset \d+: expected at most 65536 bytes.*, got more$/);
    }
  });

  it("refuses what is beyond its limits, by the length alone", () => {
    const length = (value: number): Buffer => {
      const bytes = Buffer.alloc(LENGTH_BYTES);
      bytes.writeUInt32BE(value);
      return bytes;
    };
    expect(() => recorder().stream.push(length(1_000_001))).toThrow(
      "frame-too-long at offset 0: expected at most 1000000 bytes, got 1000001",
    );
    expect(() => recorder().stream.push(length(0xffffffff))).toThrow("frame-too-long");
    expect(() => recorder().stream.push(Buffer.concat([length(100_001), Buffer.from("H12")]))).toThrow(
      /^message-too-long at offset 0: expected at most 100000 bytes.*, got 100001$/,
    );
    recorder().stream.push(Buffer.concat([length(1_000_000), Buffer.from("P12")]));
    recorder().stream.push(Buffer.concat([length(100_000), Buffer.from("H12")]));
  });

  it("holds as much as the verdict says, where it says that, by the length alone", () => {
    const length = (value: number): Buffer => Buffer.from([0, 0, 0, 0].map((_, n) => (value >> (24 - 8 * n)) & 0xff));
    expect(() => recorder().stream.push(Buffer.concat([length(200_001), Buffer.from("B12")]))).toThrow(
      "expected at most 200000 bytes in a message of that kind, got 200001",
    );
    const { handler, stream } = recorder();
    stream.push(Buffer.concat([length(200_000), Buffer.from("B12")]));
    stream.push(Buffer.alloc(199_997, "x"));
    expect(handler.seen).toEqual([{ frame: `${length(200_000).toString("latin1")}B12${"x".repeat(199_997)}` }]);
    // Also where it is whole.
    const small = recorder({ maxFrameBytes: 1_000_000, maxHeldBytes: 5 });
    expect(() => small.stream.push(frameOf("H12345"))).toThrow("message-too-long");
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
      for (let from = 0; from < bytes.length; from += size) stream.push(bytes.subarray(from, from + size));
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
    stream.between(() => order.push("never: replaced"));
    stream.between(() => order.push("later"));
    stream.push(bytes.subarray(8, 10));
    stream.push(Buffer.concat([bytes.subarray(10), frameOf("P2").subarray(0, 5)]));
    expect(order).toEqual(["now", "\0\0\0\x08P123", "45", "67", "later"]);
    stream.push(frameOf("P2").subarray(5));
    expect(order.slice(5).join("")).toBe("\0\0\0\x02P2");
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
      handler.waits = false;
      stream.again();
      expect(summary(handler.seen)).toEqual(summary(whole));
      stream.again();
      expect(stream.received).toBe(bytes.length);
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
        const all = handler.seen.map((one) =>
          one === "mac" || "tail" in one ? "" : "flow" in one ? one.flow : one.frame,
        );
        expect(all.join("")).toBe(bytes.toString("latin1"));
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

  it("holds no more memory than has come, whatever length was announced", () => {
    const { stream } = recorder({ maxFrameBytes: 2 ** 31, maxHeldBytes: 2 ** 31 });
    const before = process.memoryUsage().arrayBuffers;
    const head = Buffer.from("7fffffff483131", "hex");
    stream.push(head);
    for (let n = 0; n < 100; n++) stream.push(Buffer.alloc(1000));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
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
