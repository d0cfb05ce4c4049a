import { MAX_HEAD, type Envelope } from "../wire/codec.ts";
import { ProtocolError } from "../wire/errors.ts";
import type { Verdict } from "../wire/frame.ts";

// What the first bytes of a frame say, whoever looks at them.

export function isAnswered(envelope: Envelope): boolean {
  return (envelope.flags & 1) === 0;
}

/** Without the reply nobody would ever know what has become of it. */
export function mustBeAnswered(envelope: Envelope): void {
  if (isAnswered(envelope)) return;
  throw new ProtocolError("one-way-call", 0, `${envelope.method} as a call that is answered`, "a one-way message");
}

/** A head that does not tell yet what the message is. */
export function tooShort(head: Buffer, length: number): Verdict {
  if (head.length < length && head.length < MAX_HEAD) return "more";
  throw new ProtocolError("bad-message", head.length, "a message id, flags and a method name", "their beginning only");
}
