import { ProtocolError } from "../errors.ts";
import type { Work } from "../work.ts";
import * as token from "./tokens.ts";
import type { TokenCursor } from "./tokens.ts";

/**
 * Moves the cursor over so many values, whatever is in them. One number says how many are missing, however they are
 * nested. Raises `ProtocolError` (`bad-msgpack`), also when one is cut.
 */
export function skipMsgpack(cursor: TokenCursor, values: number, work: Work): void {
  const { length } = cursor.bytes;
  let missing = values;
  let steps = 0;
  while (missing > 0) {
    const kind = cursor.next();
    if (++steps === 256) {
      work.spend(steps, cursor.tokenAt);
      steps = 0;
    }
    missing--;
    if (kind === token.ARRAY) missing += cursor.length;
    else if (kind === token.MAP) missing += cursor.length * 2;
    if (kind === token.SHORT || cursor.at > length) {
      throw new ProtocolError("bad-msgpack", cursor.tokenAt, "a value", "the end");
    }
  }
  work.spend(steps, cursor.at);
}
