import { ID_BYTES } from "../ids.ts";
import type { Skim, StoreSkim } from "../skim.ts";
import { wordAt } from "../words.ts";

const MAX_FIXINT = 0x7f;
const TWO = 0x92;
const FOUR = 0x94;
const MAX_FIXARRAY = 0x9f;
const FIXSTR = 0xa0;
const MAX_FIXSTR = 0xbf;
const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
const BIN8 = 0xc4;
const BIN16 = 0xc5;
const BIN32 = 0xc6;
const UINT16 = 0xcd;
const STR8 = 0xd9;

/** bin 8, its length, and the eight bytes of an oid or tid. */
const SHORT_ID = 2 + ID_BYTES;

function isShortId(bytes: Buffer, at: number): boolean {
  return bytes[at] === BIN8 && bytes[at + 1] === ID_BYTES;
}

/**
 * See `Codec.skim`. The shape of nearly all messages: a small id or an array of oid and tid, a flag, a short name.
 * What is read behind `end` by mistake leads to an offset behind it, and so to false.
 */
export function skimMsgpack(bytes: Buffer, from: number, end: number, into: Skim): boolean {
  if (bytes[from] !== FOUR) return false;
  let at = from + 2;
  const first = bytes[from + 1] ?? 0xff;
  if (first <= MAX_FIXINT) {
    into.setInteger(first);
  } else if (first === UINT16 && at + 2 <= end) {
    into.setInteger(((bytes[at] as number) << 8) | (bytes[at + 1] as number));
    at += 2;
  } else if (first === TWO && at + SHORT_ID * 2 <= end && isShortId(bytes, at) && isShortId(bytes, at + SHORT_ID)) {
    into.setPair(bytes, at + 2, at + SHORT_ID + 2);
    at += SHORT_ID * 2;
  } else {
    return false;
  }
  const flag = bytes[at] ?? 0xff;
  into.flags = flag === TRUE || flag === FALSE ? flag - FALSE : flag;
  if (into.flags > MAX_FIXINT) return false;
  const name = bytes[at + 1] ?? 0;
  if (name >= FIXSTR && name <= MAX_FIXSTR) {
    into.nameAt = at + 2;
    into.argsAt = into.nameAt + name - FIXSTR;
  } else if (name === BIN8 || name === STR8) {
    into.nameAt = at + 3;
    into.argsAt = into.nameAt + (bytes[at + 2] ?? bytes.length);
  } else {
    return false;
  }
  return into.argsAt <= end;
}

/** See `Codec.skimStore`: `[oid, serial, data`, and at least one more. */
export function skimStoreMsgpack(bytes: Buffer, argsAt: number, end: number, into: StoreSkim): boolean {
  const args = bytes[argsAt] as number;
  if (args < FOUR || args > MAX_FIXARRAY || !isShortId(bytes, argsAt + 1)) return false;
  into.oidAt = argsAt + 3;
  let at = argsAt + 1 + SHORT_ID;
  if (bytes[at] === NIL) {
    into.serial = "none";
    at += 1;
  } else if (isShortId(bytes, at)) {
    into.setSerial(bytes, at + 2);
    at += SHORT_ID;
  } else {
    return false;
  }
  switch (bytes[at]) {
    case NIL:
      at += 1;
      break;
    case BIN8:
      at += 2 + (bytes[at + 1] as number);
      break;
    case BIN16:
      at += 3 + (((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number));
      break;
    case BIN32:
      at += 5 + (wordAt(bytes, at + 1) >>> 0);
      break;
    default:
      return false;
  }
  into.restAt = at;
  return at < end;
}
