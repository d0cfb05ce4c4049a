import type { Envelope } from "./codec.ts";
import type { Value } from "./value.ts";
import { itemsOf, PyGlobal, PyObject, textOf } from "./value.ts";

/** An exception in a reply, or in an old server's `serialnos`. */
export interface RemoteException {
  /** Module and class, joined by a dot, as the peer writes them (`ZODB.POSException.ConflictError`). */
  readonly name: string;
  /** The arguments it was made with, where they are known; else empty. */
  readonly args: readonly Value[];
}

/**
 * The exception that a decoded reply is; undefined for any other reply.
 *
 * New servers set flags 2 and send `(class name, args or attributes)` (`reduce_exception` in asyncio/marshal.py). Old
 * ones send `(class, instance)` (`return_error` in zrpc/connection.py), told from a result by its first item, a class.
 */
export function exceptionIn(value: Value, envelope: Envelope): RemoteException | undefined {
  const items = itemsOf(value);
  const [first, second] = items ?? [];
  if (first instanceof PyGlobal) return instance(second ?? null) ?? { name: nameOf(first), args: [] };
  if (envelope.flags !== 2) return undefined;
  return { name: textOf(first ?? null) ?? "", args: itemsOf(second ?? null) ?? [] };
}

/** The exception that an instance is; undefined for what is none. */
export function instance(value: Value): RemoteException | undefined {
  if (!(value instanceof PyObject) || !(value.callable instanceof PyGlobal)) return undefined;
  const args = itemsOf(value.args) ?? [];
  // ZODB's exceptions are made by `_recon(class, attributes)` (ZODB/POSException.py).
  const [made, attributes] = args;
  if (value.callable.name === "_recon" && made instanceof PyGlobal) {
    return { name: nameOf(made), args: itemsOf(attribute(attributes, "args") ?? null) ?? [] };
  }
  return { name: nameOf(value.callable), args };
}

function nameOf(global: PyGlobal): string {
  return `${global.module}.${global.name}`;
}

function attribute(attributes: Value | undefined, wanted: string): Value | undefined {
  if (!(attributes instanceof Map)) return undefined;
  for (const [key, value] of attributes as ReadonlyMap<Value, Value>) if (textOf(key) === wanted) return value;
  return undefined;
}
