import type { OidShape } from "../codec.ts";
import { ID_BYTES } from "../ids.ts";
import type { Tid } from "../ids.ts";
import { copyId } from "../packed.ts";

const BIN8 = 0xc4;
const FIXSTR_EMPTY = 0xa0;
const PAIR = 0x92;

/** `start` and the value `[tid, oids]`, in one buffer of exactly their size. */
export function withOids(shape: OidShape, emptyAsBin: boolean, tid: Tid, oids: Buffer, start: Buffer): Buffer {
  if (oids.length % ID_BYTES !== 0) throw new RangeError(`${oids.length} bytes are no packed oids`);
  const count = oids.length / ID_BYTES;
  const each = 2 + ID_BYTES + (shape === "plain" ? 0 : emptyAsBin ? 3 : 2);
  const header = count < 16 ? 1 : count <= 0xffff ? 3 : 5;
  const bytes = Buffer.allocUnsafeSlow(start.length + 3 + ID_BYTES + header + count * each);
  let at = start.copy(bytes);
  bytes[at++] = PAIR;
  bytes[at++] = BIN8;
  bytes[at++] = ID_BYTES;
  at = bytes.writeBigUInt64BE(tid, at);
  at = writeArrayHeader(bytes, at, count);
  for (let i = 0; i < oids.length; i += ID_BYTES) {
    if (shape === "pairs") bytes[at++] = PAIR;
    bytes[at++] = BIN8;
    bytes[at++] = ID_BYTES;
    copyId(oids, i, bytes, at);
    at += ID_BYTES;
    if (shape === "pairs" && emptyAsBin) {
      bytes[at++] = BIN8;
      bytes[at++] = 0;
    } else if (shape === "pairs") {
      bytes[at++] = FIXSTR_EMPTY;
    }
  }
  if (at !== bytes.length) throw new RangeError(`wrote ${at} bytes of ${bytes.length}`);
  return bytes;
}

function writeArrayHeader(bytes: Buffer, at: number, count: number): number {
  if (count < 16) return bytes.writeUInt8(0x90 | count, at);
  if (count <= 0xffff) return bytes.writeUInt16BE(count, bytes.writeUInt8(0xdc, at));
  return bytes.writeUInt32BE(count, bytes.writeUInt8(0xdd, at));
}
