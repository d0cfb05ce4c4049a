import { MAX_CALL_STEPS } from "./bounds.ts";
import type { Codec, Envelope, MessageId } from "./codec.ts";
import { ProtocolError } from "./errors.ts";
import { ID_BYTES, NO_TID, readTid } from "./ids.ts";
import type { Tid } from "./ids.ts";
import { messageIdOf } from "./message-id.ts";
import type { Value } from "./value.ts";
import { textOf } from "./value.ts";
import { Work } from "./work.ts";

// What the ledger needs of a call. The rest of its arguments, which can hold any objects, is only walked over; `work` is
// what that has cost.

function unexpected(codec: Codec, { argsAt, method }: Envelope, expected: string): ProtocolError {
  return new ProtocolError(`bad-${codec.encoding}`, argsAt, `${expected} for ${method}`, "another value");
}

/** What reading one call may cost. */
export function callWork(codec: Codec): Work {
  return new Work(`bad-${codec.encoding}`, MAX_CALL_STEPS);
}

/** `register(storage, read_only)`: the storage. Some clients add credentials. */
export function registerArg(codec: Codec, payload: Buffer, envelope: Envelope, work = callWork(codec)): string {
  const name = codec.arguments(payload, envelope, 1, work).at(0);
  const storage = name === undefined ? undefined : textOf(name);
  if (storage === undefined) throw unexpected(codec, envelope, "a storage's name");
  return storage;
}

/** Where `tpc_begin` has the tid. */
const TID_AT = 4;

/**
 * `tpc_begin(id, user, description, extension, tid, status)`: the transaction's id, and the tid that it shall get where
 * history is copied.
 */
export function beginArgs(
  codec: Codec,
  payload: Buffer,
  envelope: Envelope,
  work = callWork(codec),
): { readonly id: MessageId; readonly tid: Tid | undefined } {
  const args = codec.arguments(payload, envelope, TID_AT + 1, work);
  const id = idOf(args.at(0));
  if (id === undefined) throw unexpected(codec, envelope, "a transaction's id");
  if (args.count <= TID_AT) return { id, tid: undefined };
  const tid = args.at(TID_AT);
  if (tid === null) return { id, tid: undefined };
  if (!isTid(tid)) throw unexpected(codec, envelope, "a tid or None");
  return { id, tid: readTid(tid) };
}

/** `vote`, `tpc_finish`, `tpc_abort`: the transaction's id is the first argument. */
export function firstArg(codec: Codec, payload: Buffer, envelope: Envelope, work = callWork(codec)): MessageId {
  const id = idOf(codec.arguments(payload, envelope, 1, work).at(0));
  if (id === undefined) throw unexpected(codec, envelope, "a transaction's id");
  return id;
}

/** `undoa`: it is the last one. */
export function lastArg(codec: Codec, payload: Buffer, envelope: Envelope, work = callWork(codec)): MessageId {
  const args = codec.arguments(payload, envelope, Infinity, work);
  const id = idOf(args.at(args.count - 1));
  if (id === undefined) throw unexpected(codec, envelope, "a transaction's id");
  return id;
}

/** `getInvalidations(tid)`: the newest tid that the client knows; `NO_TID` for None. */
export function tidArg(codec: Codec, payload: Buffer, envelope: Envelope, work = callWork(codec)): Tid {
  const tid = codec.arguments(payload, envelope, 1, work).at(0);
  if (tid === null) return NO_TID;
  if (!isTid(tid)) throw unexpected(codec, envelope, "a tid");
  return readTid(tid);
}

/** `loadBefore(oid, tid)`: the oid; undefined for what can't be read, or the server will refuse. Raises nothing. */
export function oidArg(codec: Codec, payload: Buffer, envelope: Envelope, work = callWork(codec)): Buffer | undefined {
  try {
    const oid = codec.arguments(payload, envelope, 1, work).at(0);
    return isTid(oid) ? oid : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function idOf(value: Value | undefined): MessageId | undefined {
  return value === undefined ? undefined : messageIdOf(value);
}

function isTid(value: Value | undefined): value is Buffer {
  return Buffer.isBuffer(value) && value.length === ID_BYTES;
}
