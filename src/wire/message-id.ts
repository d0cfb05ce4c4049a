import { ID_BYTES } from "./ids.ts";
import type { Value } from "./value.ts";
import { PyTuple } from "./value.ts";

/**
 * A message id as a value that can be compared: small integers as numbers, everything else (big integers, strings,
 * tuples such as ZEO 5's `(oid, tid)`) as a string that is equal exactly when the two ids are equal as values,
 * whatever encoding, dialect or opcode wrote them. Transaction ids (`tpc_begin`'s first argument) use the same form.
 */
export type MessageId = number | string;

/*
 * The canonical form of message ids and transaction ids. Integers that a double holds exactly are numbers; the rest is
 * text whose first letter names the kind, so that two kinds never meet. Bytes and ASCII text are one kind, because
 * Python 2 does not tell them apart and a server may send back the other one.
 */

const ASCII = /^[\0-\x7f]*$/;

export const NONE_ID: MessageId = "none";

export function idOfInteger(value: number | bigint): MessageId {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : `float:${value}`;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : `int:${value}`;
}

export function idOfBytes(bytes: Buffer): MessageId {
  return `bytes:${bytes.toString("latin1")}`;
}

export function idOfText(text: string): MessageId {
  return ASCII.test(text) ? `bytes:${text}` : `text:${text}`;
}

/** What `idOfBytes` gives for the eight bytes of an oid or tid is so long. */
const ID_TEXT_LENGTH = "bytes:".length + ID_BYTES;

/** Lists are tuples here: msgpack does not tell them apart. Each part carries its length, so no two parts blur. */
export function idOfItems(items: readonly MessageId[]): MessageId {
  const [first, second] = items;
  if (items.length === 2 && isIdText(first) && isIdText(second)) {
    const bytes = Buffer.from(first.slice(-ID_BYTES) + second.slice(-ID_BYTES), "latin1");
    return idOfPair(bytes, 0, bytes, ID_BYTES);
  }
  return `(${items.map((item) => (typeof item === "number" ? `${item};` : `${item.length}:${item};`)).join("")})`;
}

function isIdText(id: MessageId | undefined): id is string {
  return typeof id === "string" && id.length === ID_TEXT_LENGTH && id.startsWith("bytes:");
}

/** What the id of a pair begins with; eight characters follow. */
export const PAIR_PREFIX = "pair:";

/**
 * A tuple of two times eight bytes, at these offsets: `(oid, tid)`, by which ZEO >= 5 clients number their loads. So
 * frequent that it has a form of its own, which is quick to make: two bytes in a character.
 */
export function idOfPair(oid: Buffer, oidAt: number, tid: Buffer, tidAt: number): MessageId {
  return `${PAIR_PREFIX}${fourChars(oid, oidAt)}${fourChars(tid, tidAt)}`;
}

function fourChars(bytes: Buffer, at: number): string {
  return String.fromCharCode(
    ((bytes[at] as number) << 8) | (bytes[at + 1] as number),
    ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number),
    ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number),
    ((bytes[at + 6] as number) << 8) | (bytes[at + 7] as number),
  );
}

/** The id that a decoded value is; undefined for what no peer uses as an id (dictionaries, instances). */
export function messageIdOf(value: Value): MessageId | undefined {
  if (value === null) return NONE_ID;
  switch (typeof value) {
    case "boolean":
      return value ? 1 : 0;
    case "number":
    case "bigint":
      return idOfInteger(value);
    case "string":
      return idOfText(value);
    default:
  }
  if (Buffer.isBuffer(value)) return idOfBytes(value);
  const items = value instanceof PyTuple ? value.items : Array.isArray(value) ? (value as readonly Value[]) : undefined;
  if (items === undefined) return undefined;
  const ids: MessageId[] = [];
  for (const item of items) {
    const id = messageIdOf(item);
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return idOfItems(ids);
}
