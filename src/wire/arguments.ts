import type { Codec, Envelope, MessageId } from "./codec.ts";
import { ProtocolError } from "./errors.ts";
import { ID_BYTES, NO_TID, readTid } from "./ids.ts";
import type { Tid } from "./ids.ts";
import { messageIdOf } from "./message-id.ts";
import type { Value } from "./value.ts";
import { itemsOf, textOf } from "./value.ts";

function argsOf(codec: Codec, payload: Buffer, envelope: Envelope, least: number, expected: string): readonly Value[] {
  const items = itemsOf(codec.args(payload, envelope));
  if (items === undefined || items.length < least) throw unexpected(codec, envelope, expected);
  return items;
}

function unexpected(codec: Codec, envelope: Envelope, expected: string): ProtocolError {
  return new ProtocolError(`bad-${codec.encoding}`, envelope.argsAt, expected, "another value");
}

/** `register(storage, read_only)`: the storage. Some clients add credentials. */
export function registerArg(codec: Codec, payload: Buffer, envelope: Envelope): string {
  const [name] = argsOf(codec, payload, envelope, 1, "a storage's name");
  const storage = name === undefined ? undefined : textOf(name);
  if (storage === undefined) throw unexpected(codec, envelope, "a storage's name");
  return storage;
}

/**
 * `tpc_begin(id, user, description, extension, tid, status)`: the transaction's id, and the tid that it shall get where
 * history is copied. The extension can hold any objects; they stay names.
 */
export function beginArgs(
  codec: Codec,
  payload: Buffer,
  envelope: Envelope,
): { readonly id: MessageId; readonly tid: Tid | undefined } {
  const items = argsOf(codec, payload, envelope, 1, "a transaction's id");
  const id = messageIdOf(items[0] as Value);
  if (id === undefined) throw unexpected(codec, envelope, "a transaction's id");
  const tid = items[4];
  if (tid === undefined || tid === null) return { id, tid: undefined };
  if (!Buffer.isBuffer(tid) || tid.length !== ID_BYTES) throw unexpected(codec, envelope, "a tid or None");
  return { id, tid: readTid(tid) };
}

/** `getInvalidations(tid)`: the newest tid that the client knows; `NO_TID` for None. */
export function tidArg(codec: Codec, payload: Buffer, envelope: Envelope): Tid {
  const [tid] = argsOf(codec, payload, envelope, 1, "a tid");
  if (tid === null) return NO_TID;
  if (!Buffer.isBuffer(tid) || tid.length !== ID_BYTES) throw unexpected(codec, envelope, "a tid");
  return readTid(tid);
}
