import { ID_BYTES, NO_TID, readTid, type Tid } from "./ids.ts";

// The tids that stand in a load's last bytes, read in place: behind the data stand the revision's serial and, where it is not
// the current one, its end.

/** The most that can stand behind the data: two byte strings, and what each encoding has between and behind them. */
export const ENDING_BYTES = 64;

/** Do eight bytes begin there? Pickle's `U`, `C`, and `T`, `B` with a length of four bytes; msgpack's bin 8 and str. */
export function beginsEight(bytes: Buffer, at: number): boolean {
  switch (bytes[at - 1]) {
    case ID_BYTES: {
      const opcode = bytes[at - 2];
      return opcode === 0x55 || opcode === 0x43 || opcode === 0xc4 || opcode === 0xd9;
    }
    case 0xa8:
      return true;
    case 0: {
      if (bytes[at - 4] !== ID_BYTES || bytes[at - 3] !== 0 || bytes[at - 2] !== 0) return false;
      const opcode = bytes[at - 5];
      return opcode === 0x54 || opcode === 0x42;
    }
    default:
      return false;
  }
}

/** The newest tid that a byte string of eight bytes in there may be; data is not told from what stands behind it. */
export function newestIn(ending: Buffer): Tid {
  let newest = NO_TID;
  for (let at = ending.length - ID_BYTES; at > 0; at--) {
    if (!beginsEight(ending, at)) continue;
    const tid = readTid(ending, at);
    if (tid > newest) newest = tid;
  }
  return newest;
}
