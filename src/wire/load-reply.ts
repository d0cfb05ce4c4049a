import type { Dialect, Envelope } from "./codec.ts";
import { ID_BYTES, readTid, tidBytes, type Tid } from "./ids.ts";
import { pickleCodec } from "./pickle-codec.ts";
import * as op from "./pickle/opcodes.ts";
import { PickleWriter, STYLES } from "./pickle/writer.ts";
import { exceptionReply, valueOf } from "./replies.ts";
import { itemsOf, PyTuple, type Value } from "./value.ts";

/** (data, serial, end): `end` is None where it is the current one. */
export interface Revision {
  readonly kind: "revision";
  readonly data: Value;
  readonly serial: Tid;
  readonly isCurrent: boolean;
}

/** What an old server replies to `loadBefore` (ZODB3 3.10.7 and ZEO 4.3.1 `StorageServer.py`; ZODB's `loadBefore`). */
export type LoadReply =
  | Revision
  /** None: it has no revision that old; or POSKeyError: there is no such object. */
  | { readonly kind: "absent" }
  /** Another exception, or what can't be read. */
  | { readonly kind: "other" };

const ABSENT: LoadReply = { kind: "absent" };
const OTHER: LoadReply = { kind: "other" };

/** Raises nothing. */
export function loadReply(payload: Buffer, envelope: Envelope): LoadReply {
  if (pickleCodec.isException(payload, envelope)) {
    const name = exceptionReply(pickleCodec, payload, envelope)?.exception?.name ?? "";
    return name === "POSKeyError" || name.endsWith(".POSKeyError") ? ABSENT : OTHER;
  }
  const value = valueOf(pickleCodec, payload, envelope);
  if (value === undefined) return OTHER;
  if (value === null) return ABSENT;
  const [data, serial, end] = itemsOf(value) ?? [];
  if (data === undefined || end === undefined || !Buffer.isBuffer(serial) || serial.length !== ID_BYTES) return OTHER;
  return { kind: "revision", data, serial: readTid(serial), isCurrent: end === null };
}

/** The same payload with that end. Its beginning, up to the value, stays as it is. */
export function withEnd(
  payload: Buffer,
  { argsAt }: Envelope,
  dialect: Dialect,
  { data, serial }: Revision,
  end: Tid,
): Buffer {
  if (dialect === "msgpack" || dialect === "msgpack-py2") throw new TypeError("no old server writes msgpack");
  const value = new PyTuple([data, tidBytes(serial), tidBytes(end)]);
  const writer = new PickleWriter(STYLES[dialect], payload.length + MORE_BYTES);
  return writer.raw(payload.subarray(0, argsAt)).value(value).opcode(op.TUPLE).opcode(op.STOP).finish();
}

/** A tid takes so much more than None, at most. */
const MORE_BYTES = 16;
