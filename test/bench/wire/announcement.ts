import { OID_BYTES, oidListLength } from "./z5.ts";

/** What stands before the tid: header, id, flag, the method's name, and the tid's own opcode and length. */
const TID_AT = 34;
const TID_END = TID_AT + 8;
/** Behind the list: the tuple, and the end. */
const TAIL = 3;

/** An old server's flag has a byte more. */
const OLD_MORE = 1;

/** How long an `invalidateTransaction` is that names so many oids. */
export function announcementLength(oids: number, isOld = false): number {
  return TID_END + oidListLength(oids) + TAIL + (isOld ? OLD_MORE : 0);
}

/** The stand-in's tids are small numbers. */
export function announcedTid(bytes: Buffer, start: number, isOld = false): number {
  return bytes.readUInt32BE(start + TID_AT + (isOld ? OLD_MORE : 0) + 4);
}

/** Where an old server's one-way message has the first letter of its method: header, id, flag, the text's own head. */
const OLD_METHOD_AT = 12;
const S = 0x73;

/** An old server tells its client what became of the stores (`serialnos`) before the vote's reply. */
export function isSerials(bytes: Buffer, start: number): boolean {
  return bytes[start + OLD_METHOD_AT] === S;
}

/** All the oids of a whole `invalidateTransaction`. */
export function announcedOids(frame: Buffer, isOld = false): string[] {
  const oids: string[] = [];
  for (let at = TID_END + (isOld ? OLD_MORE : 0); at < frame.length - TAIL;) {
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
