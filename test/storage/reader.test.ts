import { describe, expect, it } from "vitest";
import { InvalidationReader } from "../../src/storage/reader.ts";
import type { Codec, Dialect } from "../../src/wire/codec.ts";
import { framed, LENGTH_BYTES } from "../../src/wire/frame.ts";
import { asTid } from "../../src/wire/ids.ts";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";

const oid = (n: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(n, 4);
  return bytes;
};

function read(reader: InvalidationReader, codec: Codec, dialect: Dialect, tid: bigint, oids: Buffer) {
  // Each message comes in a buffer of its own.
  const payload = Buffer.from(codec.encodeInvalidation(dialect, "plain", asTid(tid), oids));
  const envelope = codec.peek(payload);
  if (envelope === undefined) throw new Error("no message");
  return { ...reader.read(codec, payload, payload, envelope), payload };
}

describe("the server's message of one transaction", () => {
  it("gives one object, in whatever dialect it comes, so that it is completed once", () => {
    const reader = new InvalidationReader();
    const first = read(reader, pickleCodec, "pickle3", 5n, oid(1)).args;
    expect(first).toEqual({ tid: 5n, oids: oid(1) });
    expect(read(reader, pickleCodec, "pickle3", 5n, oid(1)).args).toBe(first);
    expect(read(reader, msgpackCodec, "msgpack", 5n, oid(1)).args).toBe(first);
    expect(read(reader, pickleCodec, "pickle1", 5n, oid(1)).args).toBe(first);
    expect(read(reader, pickleCodec, "pickle3", 5n, oid(2)).args).not.toBe(first);
    expect(read(reader, pickleCodec, "pickle3", 6n, oid(1)).args).not.toBe(first);
  });

  it("is kept as a copy: what came with it may be written over", () => {
    const reader = new InvalidationReader();
    const { args, payload } = read(reader, pickleCodec, "pickle3", 5n, oid(1));
    payload.fill(0);
    expect(args).toEqual({ tid: 5n, oids: oid(1) });
    expect(read(reader, pickleCodec, "pickle3", 5n, oid(1)).args).toBe(args);
  });

  it("is kept as a copy, too, where its oids are a view of what was read", () => {
    const reader = new InvalidationReader();
    const decoding: Codec = {
      ...pickleCodec,
      invalidation: (payload) => {
        const at = payload.indexOf(oid(1));
        return { tid: asTid(5n), oids: payload.subarray(at, at + 8) };
      },
    };
    const { args, payload } = read(reader, decoding, "pickle3", 5n, oid(1));
    payload.fill(0);
    expect(args).toEqual({ tid: 5n, oids: oid(1) });
  });

  it("is not taken for the next one, where that is read into the same memory", () => {
    const reader = new InvalidationReader();
    const { args, payload } = read(reader, pickleCodec, "pickle3", 5n, oid(1));
    pickleCodec.encodeInvalidation("pickle3", "plain", asTid(6n), oid(2)).copy(payload);
    const envelope = pickleCodec.peek(payload);
    expect(envelope && reader.read(pickleCodec, payload, payload, envelope).args).toEqual({ tid: 6n, oids: oid(2) });
    expect(args).toEqual({ tid: 5n, oids: oid(1) });
  });

  it("is read once, where the same bytes come again", () => {
    const reader = new InvalidationReader();
    let readings = 0;
    const counting: Codec = {
      ...pickleCodec,
      invalidation: (...args) => {
        readings++;
        return pickleCodec.invalidation(...args);
      },
    };
    for (let n = 0; n < 3; n++) read(reader, counting, "pickle3", 5n, oid(1));
    expect(readings).toBe(1);
    read(reader, counting, "pickle1", 5n, oid(1));
    expect(readings).toBe(2);
  });

  it.each<readonly [string, readonly number[], number]>([
    ["the last four are", [10, 10, 10, 10, 10], 4],
    ["what is 1 MiB in all is", [10, 512 * 1024, 512 * 1024], 2],
    ["of what is more than that only what fits, the newest first, is", [10, 512 * 1024, 512 * 1024 + 1], 1],
    ["the newest is, however large,", [10, 2 * 1024 * 1024], 1],
  ])("is remembered while it is one of the last: %s", (_, lengths, expected) => {
    const reader = new InvalidationReader();
    /** Its bytes are said to be all oids, so that nothing but the bytes tells one from another. */
    const plain: Codec = { ...pickleCodec, invalidation: (payload) => ({ tid: asTid(5n), oids: payload.subarray() }) };
    const payloads = lengths.map((length, n) => Buffer.alloc(length, n));
    const envelope = { id: 0, flags: 1, method: "invalidateTransaction", argsAt: 0 };
    const first = payloads.map((payload) => reader.read(plain, payload, payload, envelope));
    // What is not remembered any more is looked for last, since to look for it makes the others older.
    const kept = payloads.findLastIndex((payload, n) => reader.read(plain, payload, payload, envelope) !== first[n]);
    expect(payloads.length - 1 - kept).toBe(expected);
  });

  it("of long ago is forgotten, and a large one soon", () => {
    const reader = new InvalidationReader();
    const first = read(reader, pickleCodec, "pickle3", 1n, oid(1)).args;
    for (let tid = 2n; tid < 10n; tid++) read(reader, pickleCodec, "pickle3", tid, oid(1));
    expect(read(reader, pickleCodec, "pickle3", 1n, oid(1)).args).not.toBe(first);
    const large = Buffer.concat(Array.from({ length: 200_000 }, (_, n) => oid(n + 1)));
    const kept = read(reader, pickleCodec, "pickle3", 20n, large).args;
    expect(read(reader, pickleCodec, "pickle3", 20n, large).args === kept).toBe(true);
    read(reader, pickleCodec, "pickle3", 21n, oid(1));
    expect(read(reader, pickleCodec, "pickle3", 20n, large).args === kept).toBe(false);
  });
});

describe("a message whose bytes come again", () => {
  const frameOf = (tid: bigint, ...oids: number[]): Buffer =>
    framed(pickleCodec.encodeInvalidation("pickle3", "plain", asTid(tid), Buffer.concat(oids.map(oid))));

  function reading(...frames: Buffer[]): InvalidationReader {
    const reader = new InvalidationReader();
    for (const frame of frames) {
      const payload = frame.subarray(LENGTH_BYTES);
      const envelope = pickleCodec.peek(payload);
      if (envelope === undefined) throw new Error("no message");
      reader.read(pickleCodec, frame, payload, envelope);
    }
    return reader;
  }

  it("is known wherever it stands in a chunk, with what it says and in memory of its own", () => {
    const [one, two] = [frameOf(5n, 1), frameOf(6n, 1, 2)];
    const reader = reading(one, two);
    const chunk = Buffer.concat([Buffer.from("x"), two, one]);
    const seen = reader.seenAt(chunk, 1);
    expect(seen?.args).toEqual({ tid: 6n, oids: Buffer.concat([oid(1), oid(2)]) });
    expect(seen?.envelope.method).toBe("invalidateTransaction");
    expect(reader.seenAt(chunk, 1 + two.length)?.args.tid).toBe(5n);
    chunk.fill(0);
    expect(seen?.frame).toEqual(two);
  });

  it("is not known where a byte differs, it is not whole, or nothing was read yet", () => {
    const one = frameOf(5n, 1);
    const reader = reading(one);
    for (let at = 0; at < one.length; at++) {
      const other = Buffer.from(one);
      other[at] = (other[at] as number) ^ 1;
      expect(reader.seenAt(other, 0), `byte ${at}`).toBeUndefined();
      expect(reader.seenAt(one.subarray(0, at), 0), `${at} bytes`).toBeUndefined();
    }
    expect(new InvalidationReader().seenAt(one, 0)).toBeUndefined();
  });
});
