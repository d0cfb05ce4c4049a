import { PyGlobal, PyObject, PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import type { Fault } from "./faults.ts";
import { isPython2, nativeDict, nativeText } from "./style.ts";
import type { Style } from "./style.ts";

const POS = "ZODB.POSException";

interface Python {
  readonly module: string;
  readonly name: string;
  /** Positional arguments. */
  readonly args: readonly Value[];
  /** What the instance's `__dict__` holds; empty where `args` are all. */
  readonly attributes: Record<string, Value>;
}

/**
 * A reply's value that raises this fault at the client. New servers send `(class name, arguments or attributes)` with
 * flags 2 (ZEO 5.2.1 `asyncio/marshal.py`, `reduce_exception`), old ones `(class, instance)` as pickled globals (ZEO
 * 4.3.1 `zrpc/connection.py`, `return_error`).
 */
export function exceptionReply(style: Style, fault: Fault): Value {
  const python = pythonOf(style, fault);
  if (style.family === "old") return new PyTuple([new PyGlobal(python.module, python.name), instanceOf(style, python)]);
  const attributes = Object.keys(python.attributes).length > 0;
  return new PyTuple([
    nativeText(style, `${python.module}.${python.name}`),
    attributes ? nativeDict(style, python.attributes) : new PyTuple(python.args),
  ]);
}

/** The exception alone, as it stands in an old server's `serialnos`. */
export function exceptionInstance(style: Style, fault: Fault): Value {
  return instanceOf(style, pythonOf(style, fault));
}

function instanceOf(style: Style, { module, name, args, attributes }: Python): Value {
  const type = new PyGlobal(module, name);
  if (module !== POS) return new PyObject(type, new PyTuple(args));
  const state = nativeDict(style, { ...attributes, args: new PyTuple(args) });
  return new PyObject(new PyGlobal(POS, "_recon"), new PyTuple([type, state]));
}

function pythonOf(style: Style, fault: Fault): Python {
  const builtins = isPython2(style) ? "exceptions" : "builtins";
  const text = (value: string): Value => nativeText(style, value);
  const pos = (name: string, args: readonly Value[], attributes: Record<string, Value> = {}): Python => ({
    module: POS,
    name,
    args,
    attributes,
  });
  const builtin = (name: string, ...args: readonly Value[]): Python => ({
    module: builtins,
    name,
    args,
    attributes: {},
  });

  switch (fault.kind) {
    case "conflict":
    case "read-conflict": {
      const read = fault.kind === "read-conflict";
      return pos(read ? "ReadConflictError" : "ConflictError", [], {
        message: text(read ? "database read conflict error" : "database conflict error"),
        oid: fault.oid,
        class_name: null,
        serials: new PyTuple([fault.current, fault.old]),
      });
    }
    case "no-object":
      return pos("POSKeyError", [fault.oid]);
    case "no-blob":
      return pos("POSKeyError", [text("No blob file"), fault.oid, fault.serial]);
    case "read-only":
      return pos("ReadOnlyError", []);
    case "wrong-transaction":
      return pos("StorageTransactionError", [fault.current, fault.given]);
    case "transaction-state":
      return pos("StorageTransactionError", [text(fault.reason)]);
    case "undo":
      return pos("UndoError", [], { _reason: text(fault.reason), _oid: null });
    case "unsupported":
      return pos("Unsupported", [text(fault.reason)]);
    case "value":
      return builtin("ValueError", text(fault.reason));
    case "type":
      return builtin("TypeError", text(fault.reason));
    case "key":
      return builtin("KeyError", text(fault.reason));
    case "attribute":
      return builtin("AttributeError", text(fault.reason));
    default:
      return fault satisfies never;
  }
}
