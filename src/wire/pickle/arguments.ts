import type { Arguments, Envelope } from "../codec.ts";
import { MAX_ARGUMENT_BYTES } from "../bounds.ts";
import type { Value } from "../value.ts";
import { stepsFor, type Work } from "../work.ts";
import { AtomCursor, BYTES, NOTHING, OTHER, SHORT, TEXT } from "./atoms.ts";
import type { AtomKind } from "./atoms.ts";
import { memoized } from "./memo.ts";
import * as op from "./opcodes.ts";
import { Outline, type Span } from "./outline.ts";
import { readPickle } from "./reader.ts";

const STOP = Buffer.from([op.STOP]);

/** See `Codec.arguments`. */
export function argumentsPickle(payload: Buffer, envelope: Envelope, need: number, work: Work): Arguments {
  const outline = new Outline(payload, envelope.argsAt, need, work);
  return {
    count: outline.count,
    at: (index) => {
      const span = outline.item(index);
      return span && valueAt(payload, span, work);
    },
  };
}

/** The value that stands there. Undefined for one that is longer than any that is needed. */
export function valueAt(payload: Buffer, { from, end }: Span, work: Work): Value | undefined {
  if (end - from > MAX_ARGUMENT_BYTES) return undefined;
  const cursor = new AtomCursor(payload, from);
  const kind = cursor.next();
  if (kind !== SHORT && kind !== OTHER && cursor.at === end) return atom(cursor, kind, work);
  const seen = memoized(payload, from, work);
  if (seen !== undefined) return valueAt(payload, seen, work);
  return readPickle(Buffer.concat([payload.subarray(from, end), STOP]), 0, [], work);
}

/** Nearly always it is one. False and True are 0 and 1. */
function atom(cursor: AtomCursor, kind: AtomKind, work: Work): Value {
  const { bytes, start, length } = cursor;
  work.spend(stepsFor(length), start);
  if (kind === NOTHING) return null;
  if (kind === BYTES) return bytes.subarray(start, start + length);
  return kind === TEXT ? bytes.toString("utf8", start, start + length) : cursor.number();
}
