import { bench, group } from "mitata";
import { framed, FrameStream, type FrameHandler } from "../../../src/wire/frame.ts";
import { LOAD_REPLY } from "./samples.ts";

const CHUNK = 0x1_0000;
const LIMITS = { maxFrameBytes: 2 ** 31, maxHeldBytes: 2 ** 26 };

let flowed = 0;
const handler: FrameHandler = {
  begin: () => "pass",
  flow: (bytes) => {
    flowed += bytes.length;
  },
  frame: () => undefined,
};

/** All of `frames`, pushed in pieces of so many bytes. */
function splitting(frames: Buffer, piece: number): () => number {
  const stream = new FrameStream(handler, LIMITS);
  const pieces: Buffer[] = [];
  for (let at = 0; at < frames.length; at += piece) pieces.push(frames.subarray(at, at + piece));
  return () => {
    for (const one of pieces) stream.push(one);
    return flowed;
  };
}

export function frameBenches(): void {
  const small = framed(LOAD_REPLY.pickle);
  const many = Buffer.concat(Array.from({ length: 100 }, () => small));
  const large = framed(Buffer.alloc(16 * CHUNK));
  group("frames", () => {
    bench("one of 450 B", splitting(small, CHUNK));
    bench("100 of 450 B in one chunk", splitting(many, many.length));
    bench("100 of 450 B in chunks of 1,000 B", splitting(many, 1_000));
    bench("one of 1 MiB in chunks of 64 KiB", splitting(large, CHUNK));
  });
}
