import type { Value } from "../wire/value.ts";

/** What a server answers instead of a value; `exceptions.ts` writes it as the client's Python expects it. */
export type Fault =
  /** Another transaction changed the object. `current` and `old` are serials, eight bytes each. */
  | {
      readonly kind: "conflict" | "read-conflict";
      readonly oid: Buffer;
      readonly current: Buffer;
      readonly old: Buffer | null;
    }
  /** No such object, or it was deleted. */
  | { readonly kind: "no-object"; readonly oid: Buffer }
  /** No such blob revision. */
  | { readonly kind: "no-blob"; readonly oid: Buffer; readonly serial: Buffer }
  | { readonly kind: "read-only" }
  /** A call for a transaction that is not this connection's. */
  | { readonly kind: "wrong-transaction"; readonly current: Value; readonly given: Value }
  | { readonly kind: "transaction-state"; readonly reason: string }
  | { readonly kind: "undo"; readonly reason: string }
  /** Something that this server never does: packing, blobs. */
  | { readonly kind: "unsupported"; readonly reason: string }
  | { readonly kind: "value" | "type" | "key" | "attribute"; readonly reason: string };

/** Thrown by the storage and by the methods; reaches the client as an exception, never anything else. */
export class StorageFault extends Error {
  override readonly name = "StorageFault";
  readonly fault: Fault;

  constructor(fault: Fault) {
    super("reason" in fault ? `${fault.kind}: ${fault.reason}` : fault.kind);
    this.fault = fault;
  }
}
