import type { Arguments, Envelope } from "../codec.ts";
import { MAX_ARGUMENT_BYTES } from "../bounds.ts";
import type { Work } from "../work.ts";
import { skipMsgpack } from "./skip.ts";
import * as token from "./tokens.ts";
import { TokenCursor } from "./tokens.ts";
import { readMsgpack } from "./values.ts";

/** Arguments that can be asked for: no call that is read has more. */
const CAPACITY = 8;

/** See `Codec.arguments`. */
export function argumentsMsgpack(payload: Buffer, envelope: Envelope, need: number, work: Work): Arguments {
  const cursor = new TokenCursor(payload, envelope.argsAt);
  if (cursor.next() !== token.ARRAY) return NONE;
  const items: number = cursor.length;
  const count = Math.min(items, need);
  /** Where each begins, and the last one ends. */
  const starts: number[] = [cursor.at];
  for (let index = 0; index < Math.min(count, CAPACITY); index++) {
    skipMsgpack(cursor, 1, work);
    starts.push(cursor.at);
  }
  if (count > CAPACITY) skipMsgpack(cursor, count - CAPACITY, work);
  return {
    count,
    at: (index) => {
      const from = starts[index];
      const end = starts[index + 1];
      if (from === undefined || end === undefined || end - from > MAX_ARGUMENT_BYTES) return undefined;
      return readMsgpack(payload.subarray(from, end), 0, work);
    },
  };
}

const NONE: Arguments = { count: -1, at: () => undefined };
