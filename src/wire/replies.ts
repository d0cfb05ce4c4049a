import { MAX_VALUE_STEPS } from "./bounds.ts";
import type { Codec, Envelope } from "./codec.ts";
import { ProtocolError } from "./errors.ts";
import { exceptionIn } from "./exceptions.ts";
import type { RemoteException } from "./exceptions.ts";
import type { Tid } from "./ids.ts";
import { ID_BYTES, readTid } from "./ids.ts";
import { conflictSerial } from "./tids.ts";
import type { Value } from "./value.ts";
import { Work } from "./work.ts";

/** The reply to `register`, `lastTransaction` or `tpc_finish`. */
export type TidReply =
  | { readonly kind: "tid"; readonly tid: Tid }
  /** None, or another value that is no tid. */
  | { readonly kind: "none" }
  /** `name`: module and class; empty where it can't be read. */
  | { readonly kind: "exception"; readonly name: string }
  /** Nobody knows: it can't be read, or not with so much work as any real reply takes. */
  | { readonly kind: "unclear" };

const NONE: TidReply = { kind: "none" };
const UNCLEAR: TidReply = { kind: "unclear" };

/** Raises nothing. */
export function replyTid(codec: Codec, payload: Buffer, envelope: Envelope): TidReply {
  if (codec.isException(payload, envelope)) {
    return { kind: "exception", name: exceptionReply(codec, payload, envelope)?.exception?.name ?? "" };
  }
  const value = valueOf(codec, payload, envelope);
  if (value === undefined) return UNCLEAR;
  return Buffer.isBuffer(value) && value.length === ID_BYTES ? { kind: "tid", tid: readTid(value) } : NONE;
}

/** What an exception says. Undefined for one that can't be read. */
export function exceptionReply(
  codec: Codec,
  payload: Buffer,
  envelope: Envelope,
): { readonly exception: RemoteException | undefined; readonly serial: Tid } | undefined {
  const value = valueOf(codec, payload, envelope);
  if (value === undefined) return undefined;
  return { exception: exceptionIn(value, envelope), serial: conflictSerial(value) };
}

/** A reply's value. Undefined for one that can't be read, or takes more work than any of this kind. */
export function valueOf(codec: Codec, payload: Buffer, envelope: Envelope): Value | undefined {
  try {
    return codec.args(payload, envelope, new Work(`bad-${codec.encoding}`, MAX_VALUE_STEPS));
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
