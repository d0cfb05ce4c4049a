import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import type { Codec } from "../../src/wire/codec.ts";
import { filling, latin } from "./raw.ts";

// Values that cost much to read or can't be read at all, as raw bytes of one value (pickle: without the message's end).

/** A value of a pickle's, as many bytes of it as are wanted. It leaves one value on the stack. */
export type Grown = (bytes: number) => Buffer;

const inList =
  (text: string): Grown =>
  (bytes) =>
    Buffer.concat([latin("]("), filling(bytes, text), latin("e")]);

/** What a pickle can be filled with. Each of these can be walked over. */
export const PICKLE_FILLINGS: Readonly<Record<string, Grown>> = {
  "small numbers": inList("K\x01"),
  "binary integers": inList("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"),
  "long binary integers": inList(`\x8b\x00\x04\x00\x00${"\x7f".repeat(1024)}`),
  "decimal integers": inList(`I${"9".repeat(1000)}\n`),
  "empty lines": inList("I\n"),
  "floats of digits": inList(`F${"1".repeat(60_000)}x\n`),
  "escaped strings": inList("S'\\x41'\n"),
  "one escaped string": inList(`S'${"\\x41".repeat(15_000)}'\n`),
  "escaped text": inList(`V${"\\u0041".repeat(10_000)}\n`),
  "empty strings": inList("U\x00"),
  "empty text": inList("\x8c\x00"),
  "names of classes": inList("c\n\n"),
  dictionaries: inList("}"),
  "lists in batches": inList("](e"),
  "values that are dropped": (bytes) => Buffer.concat([filling(bytes, "N0"), latin("N")]),
  "memo writes": (bytes) => Buffer.concat([latin("N"), filling(bytes, "\x94")]),
  "memo numbers": (bytes) => Buffer.concat([latin("N"), filling(bytes, "p4294967295\n")]),
  "nested tuples": (bytes) => Buffer.concat([latin("N"), filling(bytes, "\x85")]),
  "nested lists": (bytes) => Buffer.concat([filling(bytes / 2, "]"), filling(bytes / 2 - 1, "a")]),
  /** Keys that a hash table of numbers can be made to find in one place. */
  "numbers as keys": (bytes) => {
    const entries = Buffer.alloc(6 * Math.floor(bytes / 6), latin("J\0\0\0\0N"));
    for (let n = 0; n < entries.length / 6; n++) entries.writeInt32LE((n * 65_536) | 0, n * 6 + 1);
    return Buffer.concat([latin("}("), entries, latin("u")]);
  },
};

const inArray =
  (text: string): Grown =>
  (bytes) => {
    const items = filling(bytes, text);
    const header = Buffer.from([0xdd, 0, 0, 0, 0]);
    header.writeUInt32BE(items.length / text.length, 1);
    return Buffer.concat([header, items]);
  };

export const MSGPACK_FILLINGS: Readonly<Record<string, Grown>> = {
  "small numbers": inArray("\x01"),
  "64-bit integers": inArray("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
  "signed 64-bit integers": inArray("\xd3\x80\x00\x00\x00\x00\x00\x00\x01"),
  floats: inArray("\xca\x00\x00\x00\x00"),
  "empty strings": inArray("\xc4\x00"),
  "empty text": inArray("\xa0"),
  maps: inArray("\x80"),
  extensions: inArray("\xd4\x00\x00"),
  "nested arrays": (bytes) => Buffer.concat([filling(bytes, "\x91"), latin("\xc0")]),
};

export const FILLINGS: readonly (readonly [string, Codec, Grown])[] = [
  ...Object.entries(PICKLE_FILLINGS).map(([name, grown]) => [`${name}, pickled`, pickleCodec, grown] as const),
  ...Object.entries(MSGPACK_FILLINGS).map(([name, grown]) => [`${name}, in msgpack`, msgpackCodec, grown] as const),
];

/** Values that nobody can read: Python neither, or only Python. */
const PICKLE_BAD: Readonly<Record<string, Buffer>> = {
  "an integer of 5,000 digits": latin(`L${"9".repeat(5000)}L\n`),
  "an integer of 2,000 bytes": latin(`\x8b\xd0\x07\x00\x00${"\x7f".repeat(2000)}`),
  "an unknown opcode": latin("(N\xffNt"),
  "a list nested 300 deep": Buffer.concat([filling(300, "]"), filling(299, "a")]),
  "200,000 numbers": inList("K\x01")(400_000),
  "a memo that nobody wrote": latin("h\x77"),
  "a float that is none": latin("Fnone\n"),
  "a byte string longer than the message": latin("T\xff\xff\xff\x7f"),
  "a list that holds itself": latin("]q\x00h\x00a"),
  "an exception of odd form": latin("(cbuiltins\nKeyError\n\xfft"),
};

const MSGPACK_BAD: Readonly<Record<string, Buffer>> = {
  "an extension": latin("\xd4\x01\x00"),
  "a byte that begins nothing": latin("\x92\xc1\xc0"),
  "an array nested 300 deep": Buffer.concat([filling(300, "\x91"), latin("\xc0")]),
  "200,000 numbers": inArray("\x01")(200_000),
  "a byte string longer than the message": latin("\xc6\x7f\xff\xff\xff"),
  "an array of 2^32-1": latin("\xdd\xff\xff\xff\xff"),
};

export function unreadable(codec: Codec): Readonly<Record<string, Buffer>> {
  return codec.encoding === "pickle" ? PICKLE_BAD : MSGPACK_BAD;
}

/** A message whose arguments, or whose value, are these bytes. */
export function messageOf(codec: Codec, id: number, flags: number, method: string, value: Buffer): Buffer {
  const whole = codec.encode(codec.encoding === "pickle" ? "pickle3" : "msgpack", id, flags, method, null);
  const end = codec.encoding === "pickle" ? latin("t.") : Buffer.alloc(0);
  return Buffer.concat([whole.subarray(0, codec.peek(whole)?.argsAt), value, end]);
}

/** Arguments of a call, raw; the fifth and what follows behind a large fourth, as in a `tpc_begin`. */
export function beginOf(codec: Codec, extension: Buffer): Buffer {
  const [before, behind] =
    codec.encoding === "pickle"
      ? [latin("(K\x07C\x01uC\x01d"), latin("NX\x01\x00\x00\x00 t")]
      : [latin("\x96\x07\xa1u\xa1d"), latin("\xc0\xa1 ")];
  return messageOf(codec, 5, 0, "tpc_begin", Buffer.concat([before, extension, behind]));
}
