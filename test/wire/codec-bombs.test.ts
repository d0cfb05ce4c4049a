import { describe, expect, it } from "vitest";
import type { Codec, Envelope } from "../../src/wire/codec.ts";
import { ProtocolError } from "../../src/wire/errors.ts";
import { methodNamed } from "../../src/wire/methods.ts";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { everyReader } from "./codec-every-reader.ts";
import { doubled, latin, times } from "./raw.ts";

const MIB = 1024 * 1024;
/** Of all readers together; the machine may be busy. */
const TIME_MS = 20_000;
const MEMORY = 400 * MIB;

/** A message whose value is `body`. */
function pickled(...body: readonly (string | Buffer)[]): Buffer {
  const parts = body.map((part) => (typeof part === "string" ? latin(part) : part));
  return Buffer.concat([latin("\x80\x03(K\x05K\0X\x06\0\0\0.reply"), ...parts, latin("t.")]);
}

function packed(...body: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([
    latin("\x94\x05\x00\xa6.reply"),
    ...body.map((part) => (typeof part === "string" ? latin(part) : part)),
  ]);
}

const BOMBS: readonly (readonly [string, Codec, Buffer, "refused" | "read"])[] = [
  ["a million nested lists", pickleCodec, pickled(times(MIB, "]"), times(MIB - 1, "a")), "refused"],
  ["a million nested tuples", pickleCodec, pickled("N", times(MIB, "\x85")), "refused"],
  ["a million nested marks", pickleCodec, pickled(times(MIB, "("), times(MIB, "t")), "refused"],
  ["201 nested tuples", pickleCodec, pickled("N", times(201, "\x85")), "refused"],
  ["150 nested tuples", pickleCodec, pickled("N", times(150, "\x85")), "read"],
  ["a list doubled sixty times by the memo", pickleCodec, pickled(doubled(60)), "refused"],
  ["a list that holds itself", pickleCodec, pickled("]q\0h\0a"), "refused"],
  ["a list that holds itself a million times", pickleCodec, pickled("]q\0(", times(MIB, "h\0"), "e"), "refused"],
  ["a tuple in itself by way of a dictionary", pickleCodec, pickled("}q\0K\x01(h\0h\0tq\x01s"), "refused"],
  ["an instance whose state is itself", pickleCodec, pickled("cm\nn\n)Rq\0h\0b"), "refused"],
  ["four million empty dictionaries", pickleCodec, pickled("](", times(4 * MIB, "}"), "e"), "refused"],
  ["four million empty lists", pickleCodec, pickled("](", times(4 * MIB, "]"), "e"), "refused"],
  ["four million memo writes", pickleCodec, pickled("N", times(4 * MIB, "\x94")), "refused"],
  ["four million numbers", pickleCodec, pickled("](", times(4 * MIB, "K\x01"), "e"), "refused"],
  ["a byte string of 4 GiB", pickleCodec, pickled("B\xff\xff\xff\xff"), "refused"],
  ["a byte string of 2^60 bytes", pickleCodec, pickled("\x8e\0\0\0\0\0\0\0\x10"), "refused"],
  ["text of 4 GiB", pickleCodec, pickled("X\xff\xff\xff\xff"), "refused"],
  ["an integer of 2 GiB", pickleCodec, pickled("\x8b\xff\xff\xff\x7f"), "refused"],
  ["an integer of a million digits", pickleCodec, pickled("I", times(MIB, "9"), "\n"), "refused"],
  ["an integer of 65,000 digits", pickleCodec, pickled("L", times(65_000, "9"), "L\n"), "refused"],
  ["an integer of a million bytes", pickleCodec, pickled("\x8b\0\0\x10\0", times(MIB, "\x7f")), "refused"],
  ["a line without an end", pickleCodec, pickled("c", times(MIB, "m")), "refused"],
  ["frames within frames", pickleCodec, pickled(times(MIB, "\x95\0\0\0\0\0\0\0\0"), "N"), "read"],
  ["a million memo numbers", pickleCodec, pickled("N", times(MIB, "p4294967295\n")), "refused"],
  ["a million values dropped again", pickleCodec, pickled(times(MIB, "N0"), "N"), "read"],
  ["1 MiB of nested array headers", msgpackCodec, packed(times(MIB, "\x91"), "\xc0"), "refused"],
  ["1 MiB of nested array headers, cut", msgpackCodec, packed(times(MIB, "\x91")), "refused"],
  ["4 MiB of nested array headers of 15", msgpackCodec, packed(times(4 * MIB, "\x9f")), "refused"],
  ["1 MiB of nested map headers", msgpackCodec, packed(times(MIB, "\x81")), "refused"],
  ["201 nested arrays", msgpackCodec, packed(times(201, "\x91"), "\xc0"), "refused"],
  ["150 nested arrays", msgpackCodec, packed(times(150, "\x91"), "\xc0"), "read"],
  ["an array of 2^32-1", msgpackCodec, packed("\xdd\xff\xff\xff\xff"), "refused"],
  ["a map of 2^32-1", msgpackCodec, packed("\xdf\xff\xff\xff\xff"), "refused"],
  ["arrays of 2^32-1 in one another", msgpackCodec, packed(times(1000, "\xdd\xff\xff\xff\xff")), "refused"],
  ["a byte string of 4 GiB", msgpackCodec, packed("\xc6\xff\xff\xff\xff"), "refused"],
  ["text of 4 GiB", msgpackCodec, packed("\xdb\xff\xff\xff\xff"), "refused"],
  ["an extension of 4 GiB", msgpackCodec, packed("\xc9\xff\xff\xff\xff\x01"), "refused"],
  ["an extension", msgpackCodec, packed("\xd4\x01\x00"), "refused"],
  ["a date", msgpackCodec, packed("\xd6\xff\0\0\0\0"), "refused"],
  ["four million empty maps", msgpackCodec, packed("\xdd\x00\x40\x00\x00", times(4 * MIB, "\x80")), "refused"],
  [
    "four million empty byte strings",
    msgpackCodec,
    packed("\xdd\x00\x40\x00\x00", times(4 * MIB, "\xc4\0")),
    "refused",
  ],
  ["a key __proto__", msgpackCodec, packed("\x81\xa9__proto__\x81\xa1x\x01"), "read"],
];

/** All readers for a small bomb, one of each sort for a large one. */
function readers(codec: Codec, payload: Buffer): (() => unknown)[] {
  if (payload.length < 1000) return everyReader(codec, payload);
  const envelope = codec.peek(payload) as Envelope;
  return [
    () => codec.args(payload, envelope),
    () => codec.invalidation(payload, envelope),
    () => codec.storeTail(payload.subarray(envelope.argsAt)),
    () => codec.shown(payload, envelope, undefined),
    () => codec.shown(payload, envelope, methodNamed("loadBefore")),
  ];
}

describe("a bomb", () => {
  it.each(BOMBS)("%s is bounded in time and memory", { timeout: 60_000 }, (_name, codec, payload, end) => {
    const before = process.memoryUsage().rss;
    const began = performance.now();
    for (const read of readers(codec, payload)) {
      try {
        read();
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }
    expect(performance.now() - began).toBeLessThan(TIME_MS);
    expect(process.memoryUsage().rss - before).toBeLessThan(MEMORY);
    const envelope = codec.peek(payload);
    expect(envelope?.method).toBe(".reply");
    const args = (): unknown => envelope && codec.args(payload, envelope);
    if (end === "refused") expect(args).toThrow(ProtocolError);
    else expect(args).not.toThrow();
  });

  it("in the place of a message's id is refused by its first bytes", () => {
    for (const bytes of [times(1024, "("), times(1024, "]"), latin("(U\xff").subarray(0, 3), times(600, "(U\x01a")]) {
      const attempt = (): unknown => pickleCodec.peek(bytes);
      if (bytes.length < 10) expect(attempt()).toBeUndefined();
      else expect(attempt).toThrow(ProtocolError);
    }
    expect(() => msgpackCodec.peek(Buffer.concat([latin("\x94"), times(1023, "\x91")]))).toThrow(ProtocolError);
    expect(() => msgpackCodec.peek(Buffer.concat([latin("\x94"), times(1023, "\x9f")]))).toThrow(ProtocolError);
  });

  it("a key __proto__ sets no prototype", () => {
    const payload = packed("\x81\xa9__proto__\x81\xa1x\x01");
    const value = msgpackCodec.args(payload, msgpackCodec.peek(payload) as never);
    expect(value).toEqual(new Map([["__proto__", new Map([["x", 1]])]]));
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });
});
