import { tidNumber } from "../frame-writer.ts";
import type { Style } from "../style.ts";

const INVALIDATE = "invalidateTransaction";
/** Where a name can stand at most. */
const HEAD_BYTES = 40;

/** A tid and oids, as numbers of the world. */
export interface Named {
  readonly tid: number;
  readonly oids: readonly number[];
}

export function isInvalidation(frame: Buffer): boolean {
  if (frame.length < 30) return false;
  const at = frame.subarray(0, HEAD_BYTES + INVALIDATE.length).indexOf(INVALIDATE, 0, "latin1");
  return at > 0;
}

/**
 * The tid and the oids of an invalidation or a `getInvalidations` reply, read from its ids: in every dialect one stands
 * behind an opcode and its length, 8. Undefined: a tid that is none of this world.
 */
export function readNamed(style: Style, frame: Buffer, from: number): Named | undefined {
  const opcode = style.isMsgpack ? 0xc4 : style.isPython2 ? 0x55 : 0x43;
  const oids: number[] = [];
  let tid: number | undefined;
  for (let at = from; at + 10 <= frame.length;) {
    if (frame[at] !== opcode || frame[at + 1] !== 8) {
      at++;
      continue;
    }
    if (tid === undefined) {
      tid = tidNumber(frame, at + 2);
      if (tid === undefined) return undefined;
    } else {
      if (frame.readUInt32BE(at + 2) !== 0) return undefined;
      oids.push(frame.readUInt32BE(at + 6));
    }
    at += 10;
  }
  return tid === undefined ? undefined : { tid, oids };
}
