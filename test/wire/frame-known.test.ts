import { describe, expect, it } from "vitest";
import { FrameStream, type FrameHandler } from "../../src/wire/frame.ts";

const LIMITS = { maxFrameBytes: 1000, maxHeldBytes: 1000 };

function frame(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}

const KNOWN = frame("known");

/** Knows one frame, skims those that begin with s, and lets all others pass. */
function recorded(stop?: () => void): { readonly handler: FrameHandler; readonly told: string[] } {
  const told: string[] = [];
  const handler: FrameHandler = {
    begin: (head) => {
      told.push(`asked ${head.toString()}`);
      return "pass";
    },
    flow: (bytes) => void told.push(`flows ${bytes.toString("latin1").replaceAll(/[^a-z]/g, ".")}`),
    frame: () => expect.unreachable("nothing is held"),
    skim: (chunk, from) => {
      let at = from;
      while (chunk[at + 4] === 0x73 && at + 4 + chunk.readUInt32BE(at) <= chunk.length)
        at += 4 + chunk.readUInt32BE(at);
      return at;
    },
    knows: (chunk, at) => (chunk.subarray(at, at + KNOWN.length).equals(KNOWN) ? KNOWN.length : 0),
    known: () => {
      told.push("known");
      stop?.();
    },
  };
  return { handler, told };
}

describe("a frame that is known", () => {
  it("comes behind what stands before it, is not asked for, and does not flow", () => {
    const { handler, told } = recorded();
    const stream = new FrameStream(handler, LIMITS);
    stream.push(Buffer.concat([frame("skim"), frame("a"), KNOWN, KNOWN, frame("b"), KNOWN, frame("skim")]));
    expect(told).toEqual([
      "asked a",
      "flows ....skim....a",
      "known",
      "known",
      "asked b",
      "flows ....b",
      "known",
      "flows ....skim",
    ]);
    expect([stream.truncated, stream.midFrame, stream.keptBytes]).toEqual([false, false, 0]);
  });

  it("is found in parts, too, once it is whole or its beginning is not asked for again", () => {
    const all = Buffer.concat([frame("a"), KNOWN, frame("b")]);
    for (let cut = 1; cut < 5 + 4; cut++) {
      const { handler, told } = recorded();
      const stream = new FrameStream(handler, LIMITS);
      stream.push(all.subarray(0, cut));
      stream.push(all.subarray(cut));
      expect(
        told.filter((line) => line === "known" || line.startsWith("asked known")),
        `cut at ${cut}`,
      ).toEqual(["known"]);
      expect(stream.received).toBe(all.length);
    }
  });

  it("can be the last thing that is looked at", () => {
    const { handler, told } = recorded(() => stream.stop());
    const stream = new FrameStream(handler, LIMITS);
    stream.push(Buffer.concat([KNOWN, frame("a")]));
    expect(told).toEqual(["known"]);
  });
});

it("says where it stands behind frames that were skimmed, for who can't go on there", () => {
  const { handler } = recorded();
  const stream = new FrameStream(handler, LIMITS);
  stream.push(Buffer.concat([frame("skim"), frame("skimmed")]));
  expect(stream.payloadOffset).toBe(8 + 11 + 4);
});
