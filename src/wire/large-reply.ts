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
