import { OID_BYTES, oidListLength } from "./z5.ts";

/** What stands before the tid: header, id, flag, the method's name, and the tid's own opcode and length. */
const TID_AT = 34;
const TID_END = TID_AT + 8;
/** Behind the list: the tuple, and the end. */
const TAIL = 3;

/** How long an `invalidateTransaction` is that names so many oids. */
export function announcementLength(oids: number): number {
  return TID_END + oidListLength(oids) + TAIL;
}

/** The stand-in's tids are small numbers. */
export function announcedTid(bytes: Buffer, start: number): number {
  return bytes.readUInt32BE(start + TID_AT + 4);
}

/** All the oids of a whole `invalidateTransaction`. */
export function announcedOids(frame: Buffer): string[] {
  const oids: string[] = [];
  for (let at = TID_END; at < frame.length - TAIL;) {
    // Between the oids stand the opcodes of the list and of its batches.
    if (frame[at] !== 0x43) {
      at++;
      continue;
    }
    oids.push(frame.toString("hex", at + 2, at + OID_BYTES));
    at += OID_BYTES;
  }
  return oids;
}
