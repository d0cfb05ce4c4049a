import type { MessageId } from "./codec.ts";
import type { Value } from "./value.ts";
import { PyTuple } from "./value.ts";

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

/** Lists are tuples here: msgpack does not tell them apart. Each part carries its length, so no two parts blur. */
export function idOfItems(items: readonly MessageId[]): MessageId {
  return `(${items.map((item) => (typeof item === "number" ? `${item};` : `${item.length}:${item};`)).join("")})`;
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
