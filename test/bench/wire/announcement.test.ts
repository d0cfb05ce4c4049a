import { expect, it } from "vitest";
import { readPickle } from "../../../src/wire/pickle/reader.ts";
import { PyTuple } from "../../../src/wire/value.ts";
import { serialnos } from "../stand-in/serials.ts";
import { Oids } from "../stand-in/transaction.ts";
import { announcedOids, announcedTid, announcementLength, isSerials } from "./announcement.ts";
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

it("an old server's announcement has a flag that is a byte longer", () => {
  const oid = z5.bytes(z5.eight(0x43));
  // Its last byte is the opcode of bytes, too.
  const args = z5.tuple(z5.bytes(z5.eight(0x143)), z5.oidList(oid, 1));
  const payload = z5.oldOneWay("invalidateTransaction", args).subarray(4);
  expect(payload).toHaveLength(announcementLength(1, true));
  expect(announcedTid(payload, 0, true)).toBe(0x143);
  expect(announcedOids(payload, true)).toEqual([z5.eight(0x43).toString("hex")]);
  expect(isSerials(payload, 0)).toBe(false);
});

it("an old server's word on the stores is an oid and a tid for each, as the proxy reads it", () => {
  const oids = new Oids();
  for (let n = 1; n <= 3; n++) oids.add(z5.bytes(z5.eight(n)), 0);
  const payload = serialnos(oids, 78).subarray(4);
  expect(isSerials(payload, 0)).toBe(true);
  const pair = (n: number): PyTuple => new PyTuple([z5.eight(n), z5.eight(78)]);
  expect(readPickle(payload)).toEqual(new PyTuple([0, 1, "serialnos", new PyTuple([[pair(1), pair(2), pair(3)]])]));
});

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
