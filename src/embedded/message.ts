import type { Codec } from "../wire/codec.ts";
import { ProtocolError } from "../wire/errors.ts";
import { readMsgpack } from "../wire/msgpack/values.ts";
import { readPickle } from "../wire/pickle/reader.ts";
import { itemsOf } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";

/** A whole message, decoded; a proxy never needs that, a server and a client do. */
export interface Message {
  /** As it came, so that it can be sent back. */
  readonly id: Value;
  readonly flags: number;
  readonly method: string;
  /** Of a call its arguments. */
  readonly args: readonly Value[];
  /** The fourth item itself: of a reply its value. */
  readonly value: Value;
}

/** Throws a `ProtocolError` for bytes that are no message. */
export function decodeMessage(codec: Codec, payload: Buffer): Message {
  const { flags, method } = codec.peek(payload) ?? failed("a message");
  const items = itemsOf(codec.encoding === "msgpack" ? readMsgpack(payload, 0) : readPickle(payload));
  if (items === undefined || items.length !== 4) return failed("four items");
  const value = items[3] ?? null;
  return { id: items[0] ?? null, flags, method, args: itemsOf(value) ?? [], value };
}

function failed(expected: string): never {
  throw new ProtocolError("bad-message", 0, expected, "something else");
}
