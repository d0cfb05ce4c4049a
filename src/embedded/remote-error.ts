import { itemsOf, PyGlobal, PyObject, textOf } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";

/** An exception that a server answered. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  /** `ZODB.POSException.ConflictError`, for example. */
  readonly type: string;
  readonly method: string;
  /** Arguments, attributes or the instance, as the server wrote them. */
  readonly details: Value;

  constructor(type: string, method: string, details: Value) {
    super(`${method}: ${type}`);
    this.type = type;
    this.method = method;
    this.details = details;
  }
}

/** From an exception reply of either family. */
export function errorOf(value: Value, method: string): RemoteError {
  const [type, details] = itemsOf(value) ?? [];
  return new RemoteError(type === undefined ? "?" : nameOf(type), method, details ?? null);
}

/** From an instance in an old server's `serialnos`; undefined where it is none. */
export function errorOfInstance(value: Value, method: string): RemoteError | undefined {
  if (!(value instanceof PyObject)) return undefined;
  const type = itemsOf(value.args)?.[0];
  const named = type instanceof PyGlobal ? type : value.callable;
  return new RemoteError(nameOf(named), method, value);
}

function nameOf(value: Value): string {
  return value instanceof PyGlobal ? `${value.module}.${value.name}` : (textOf(value) ?? "?");
}
