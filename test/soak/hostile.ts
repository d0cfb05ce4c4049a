import type { Random } from "../simulate/random.ts";
import { doubled, latin, times } from "../wire/raw.ts";

// Messages that no client makes. The time that they cost Python is bounded, since the real server reads them, too, and
// logs what it does not understand, all of it; its memory is bounded by its start.

const KIB = 1024;

/** Values as arguments of a call. */
const PICKLED: readonly (() => Buffer)[] = [
  () => Buffer.concat([times(50 * KIB, "]"), times(50 * KIB - 1, "a")]),
  () => Buffer.concat([latin("N"), times(50 * KIB, "\x85")]),
  () => Buffer.concat([times(20 * KIB, "("), times(20 * KIB, "t")]),
  () => latin(doubled(10)),
  () => latin("]q\0h\0a"),
  () => Buffer.concat([latin("]("), times(200 * KIB, "]"), latin("e")]),
  () => Buffer.concat([latin("N"), times(200 * KIB, "\x94")]),
  () => Buffer.concat([latin("]("), times(100 * KIB, "K\x01"), latin("e")]),
  () => latin("B\xff\xff\xff\xff"),
  () => latin("\x8e\0\0\0\0\0\0\0\x10"),
  () => latin("\x8b\xff\xff\xff\x7f"),
  () => latin("Nr\xff\xff\xff\x7f"),
  () => Buffer.concat([latin("I"), times(30 * KIB, "9"), latin("\n")]),
  () => Buffer.concat([latin("L"), times(30 * KIB, "9"), latin("L\n")]),
  () => Buffer.concat([latin("\x8b\x00\x40\x00\x00"), times(16 * KIB, "\x7f")]),
  () => Buffer.concat([latin("V"), times(10 * KIB, "\\u0041"), latin("\n")]),
  () => Buffer.concat([latin("S'"), times(30 * KIB, "\\x41"), latin("'\n")]),
  () => latin("cposix\nsystem\n(S'true'\ntR"),
  () => latin("c__builtin__\neval\n(S'1'\ntR"),
];

const PACKED: readonly (() => Buffer)[] = [
  () => Buffer.concat([times(50 * KIB, "\x91"), latin("\xc0")]),
  () => Buffer.concat([times(50 * KIB, "\x81\xc0"), latin("\xc0")]),
  // msgpack 0.5.6 (ZEO 5.2.1 has it) makes a tuple of the size that is told, and never frees it: 8 bytes an item.
  () => latin("\xdd\0\0\x10\0"),
  () => latin("\xdd\xff\xff\xff\xff"),
  () => latin("\xdf\0\xff\xff\xff"),
  () => latin("\xc6\xff\xff\xff\xff"),
  () => latin("\xdb\x7f\xff\xff\xff"),
  () => Buffer.concat([latin("\xdd\0\x01\0\0"), times(64 * KIB, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff")]),
  () => Buffer.concat([latin("\xdd\0\x01\0\0"), times(64 * KIB, "\x90")]),
  () => latin("\xc9\xff\xff\xff\xff\x01"),
  () => latin("\xc1"),
];

/** Calls that are read whole, others, and one that no server knows. (`new_oids` makes as many as it is told to.) */
const METHODS = ["tpc_begin", "vote", "tpc_finish", "storea", "getInvalidations", "loadBefore", "undoa", "nosuch"];

/** A call with a hostile argument. */
export function hostileCall(random: Random, encoding: "pickle" | "msgpack"): Buffer {
  const method = latin(random.pick(METHODS));
  const id = 10 + random.below(100);
  const before = random.below(3);
  if (encoding === "pickle") {
    const name = Buffer.concat([latin("U"), Buffer.of(method.length), method]);
    return Buffer.concat([
      latin("\x80\x02("),
      Buffer.of(0x4b, id, 0x4b, random.below(2)),
      name,
      latin("("),
      times(before, "N"),
      random.pick(PICKLED)(),
      latin("tt."),
    ]);
  }
  return Buffer.concat([
    Buffer.of(0x94, id, random.chance(0.5) ? 0xc2 : 0xc3, 0xa0 + method.length),
    method,
    Buffer.of(0x91 + before),
    times(before, "\xc0"),
    random.pick(PACKED)(),
  ]);
}
