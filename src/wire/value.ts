import type { Work } from "./work.ts";

/**
 * Decoded pickle and msgpack values. Nothing of a pickle is ever executed: globals and instances are kept as names.
 */

/** Python bytes, and Python 2 str (which may be text: see `textOf`), are Buffers; unicode is a string. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | readonly Value[]
  | PyTuple
  | ReadonlyMap<Value, Value>
  | PyGlobal
  | PyObject;

/** A Python tuple; a list is a plain array. msgpack has only arrays. */
export class PyTuple {
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

/** A class or function, by name only. */
export class PyGlobal {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

/** An instance that unpickling would create: `callable(*args)`, then `__setstate__(state)`. Never created. */
export class PyObject {
  readonly callable: Value;
  readonly args: Value;
  readonly state: Value | undefined;
  constructor(callable: Value, args: Value, state?: Value) {
    this.callable = callable;
    this.args = args;
    this.state = state;
  }
}

/** Text from unicode or from bytes (each byte one character), else undefined. */
export function textOf(value: Value): string | undefined {
  if (typeof value === "string") return value;
  return Buffer.isBuffer(value) ? value.toString("latin1") : undefined;
}

/** The items of a list or tuple, else undefined. */
export function itemsOf(value: Value): readonly Value[] | undefined {
  if (value instanceof PyTuple) return value.items;
  return Array.isArray(value) ? (value as readonly Value[]) : undefined;
}

/**
 * Sets an entry of a dictionary that is being read. Numbers can be chosen so that a `Map` finds all of them in one place,
 * and then each costs what the ones before it are: that is work, too.
 */
export function setEntry(map: Map<Value, Value>, key: Value, value: Value, work: Work): void {
  if (typeof key === "number" || typeof key === "bigint") work.spend(map.size >> 4, 0);
  map.set(key, value);
}
