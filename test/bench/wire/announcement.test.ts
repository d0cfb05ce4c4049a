import { expect, it } from "vitest";
import { readPickle } from "../../../src/wire/pickle/reader.ts";
import { announcedOids, announcedTid, announcementLength } from "./announcement.ts";
import { Frames, WholeFrames } from "./frames.ts";
import * as z5 from "./z5.ts";

function announcement(count: number): Buffer {
  const oids = Buffer.concat(Array.from({ length: count }, (_, i) => z5.bytes(z5.eight(0x43 + i))));
  return z5.oneWay("invalidateTransaction", z5.tuple(z5.bytes(z5.eight(77)), z5.oidList(oids, count)));
}

it.each([0, 1, 2, 999, 1000, 1001, 1002, 2000, 3001])(
  "an announcement of %i oids has the length that tells so",
  (count) => {
    const payload = announcement(count).subarray(4);
    expect(payload).toHaveLength(announcementLength(count));
    expect(announcedTid(payload, 0)).toBe(77);
    expect(announcedOids(payload)).toEqual(Array.from({ length: count }, (_, i) => z5.eight(0x43 + i).toString("hex")));
    expect(() => readPickle(payload)).not.toThrow();
  },
);

it.each([1, 3, 7, 300])("finds frames in pieces of %i bytes", (size) => {
  const stream = Buffer.concat([announcement(0), announcement(60), z5.framed(Buffer.alloc(0)), announcement(2)]);
  const lengths: number[] = [];
  const whole: number[] = [];
  const frames = new Frames((_bytes, start, end, length) => {
    expect(end - start).toBe(Math.min(length, 256));
    lengths.push(length);
  });
  const wholeFrames = new WholeFrames((frame) => whole.push(frame.length));
  for (let at = 0; at < stream.length; at += size) {
    const piece = stream.subarray(at, at + size);
    frames.push(piece);
    wholeFrames.push(piece, piece.length);
  }
  expect(lengths).toEqual([announcementLength(0), announcementLength(60), 0, announcementLength(2)]);
  expect(whole).toEqual(lengths);
});
