import type { Dialect, Envelope } from "../wire/codec.ts";
import { framed, LENGTH_BYTES } from "../wire/frame.ts";
import type { Tid } from "../wire/ids.ts";
import { loadReply, withEnd } from "../wire/load-reply.ts";
import type { OpenRead } from "./open-reads.ts";

/** What becomes of the answer to a read whose client was told meanwhile that the object has changed. */
export type OldAnswer =
  /** It says what the server would say by now, or nothing that can be old. */
  | { readonly is: "good" }
  /** This goes out instead: the revision holds up to that tid. */
  | { readonly is: "ended"; readonly frame: Buffer; readonly end: Tid }
  /** There was no such object, or none so old; one can have been created since: it is asked for once more. */
  | { readonly is: "absent" };

const GOOD: OldAnswer = { is: "good" };
const ABSENT: OldAnswer = { is: "absent" };

/** `dialect`: how the server writes. */
export function oldAnswer(
  { told }: OpenRead,
  frame: Buffer,
  envelope: Envelope,
  dialect: Dialect | undefined,
): OldAnswer {
  if (told.length === 0) return GOOD;
  const payload = frame.subarray(LENGTH_BYTES);
  const reply = loadReply(payload, envelope);
  if (reply.kind === "absent") return ABSENT;
  if (reply.kind !== "revision" || !reply.isCurrent || dialect === undefined) return GOOD;
  const end = lowest(told.filter((tid) => tid > reply.serial));
  return end === undefined
    ? GOOD
    : { is: "ended", frame: framed(withEnd(payload, envelope, dialect, reply, end)), end };
}

function lowest([first, ...others]: readonly Tid[]): Tid | undefined {
  return first === undefined ? undefined : others.reduce((low, tid) => (tid < low ? tid : low), first);
}
