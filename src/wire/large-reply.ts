import { ID_BYTES, NO_TID, readTid, type Tid } from "./ids.ts";
import type { Method } from "./methods.ts";

// What a reply shows that is too large to be kept: one that has data of an object, or of a blob.

/**
 * - `nothing`: no tid. (An exception would, and is small.)
 * - `ending`: what it shows stands in its last bytes, behind the data.
 * - `anywhere`
 */
export type LargeReply = "nothing" | "ending" | "anywhere";

export function largeReply({ place, dataFirst }: Method): LargeReply {
  if (place === "nothing" || place === "exception") return "nothing";
  return dataFirst ? "ending" : "anywhere";
}

/** What stands before eight bytes: pickle's `U`, `C`, and `T`, `B` with a length of four bytes; msgpack's bin 8 and str. */
const BEFORE = ["5508", "4308", "5408000000", "4208000000", "c408", "d908", "a8"].map((hex) => Buffer.from(hex, "hex"));

/** The newest tid that a byte string of eight bytes in there may be; data is not told from what stands behind it. */
export function newestIn(ending: Buffer): Tid {
  let newest = NO_TID;
  for (const before of BEFORE) {
    for (let at = ending.indexOf(before); at >= 0; at = ending.indexOf(before, at + 1)) {
      const start = at + before.length;
      if (start + ID_BYTES > ending.length) break;
      const tid = readTid(ending, start);
      if (tid > newest) newest = tid;
    }
  }
  return newest;
}
