import type { Dialect, MessageId } from "../wire/codec.ts";
import type { Protocol } from "../wire/handshake.ts";
import type { Tid } from "../wire/ids.ts";
import { itemsOf } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import type { RemoteError } from "./remote-error.ts";
import { tidOfReply } from "./reply-tid.ts";

/** Everything that the server said, in its order. Oids are 16 hex digits. */
export type Received =
  | { readonly type: "invalidation"; readonly tid: Tid; readonly oids: readonly string[] }
  | { readonly type: "reply"; readonly id: MessageId; readonly method: string; readonly value: Value }
  | { readonly type: "exception"; readonly id: MessageId; readonly method: string; readonly error: RemoteError }
  | { readonly type: "one-way"; readonly method: string; readonly args: readonly Value[] };

export type ReceivedInvalidation = Extract<Received, { type: "invalidation" }>;

/** How a client of this protocol writes; on Python 3 where there is such a client. */
export function defaultDialect({ name, encoding, family }: Protocol): Dialect {
  if (encoding === "msgpack") return "msgpack";
  if (family === "new") return "pickle3";
  return name === "Z4" ? "pickle3-zeo4" : "pickle1";
}

/** What a message is that answers no call. */
export function told({ method, args }: { method: string; args: readonly Value[] }): Received {
  if (method !== "invalidateTransaction") return { type: "one-way", method, args };
  return { type: "invalidation", tid: tidOfReply(args[0] ?? null), oids: hexes(args[1] ?? null) };
}

/** A list of oids, or of pairs of an oid and a version. */
export function hexes(value: Value): string[] {
  const items = itemsOf(value) ?? [];
  return items.map((item) => {
    const oid = Buffer.isBuffer(item) ? item : itemsOf(item)?.[0];
    return Buffer.isBuffer(oid) ? oid.toString("hex") : "?";
  });
}
