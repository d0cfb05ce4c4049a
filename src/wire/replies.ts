import type { Codec, Envelope } from "./codec.ts";
import { exceptionIn } from "./exceptions.ts";
import type { Tid } from "./ids.ts";
import { ID_BYTES, readTid } from "./ids.ts";

/** The reply to `register`, `lastTransaction` or `tpc_finish`. */
export type TidReply =
  | { readonly kind: "tid"; readonly tid: Tid }
  /** None, or another value that is no tid. */
  | { readonly kind: "none" }
  /** `name`: module and class. */
  | { readonly kind: "exception"; readonly name: string };

const NONE: TidReply = { kind: "none" };

/** Raises `ProtocolError` for what can't be decoded. */
export function replyTid(codec: Codec, payload: Buffer, envelope: Envelope): TidReply {
  const value = codec.args(payload, envelope);
  if (Buffer.isBuffer(value) && value.length === ID_BYTES) return { kind: "tid", tid: readTid(value) };
  const exception = exceptionIn(value, envelope);
  return exception === undefined ? NONE : { kind: "exception", name: exception.name };
}
