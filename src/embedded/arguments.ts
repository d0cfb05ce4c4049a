import { ID_BYTES, readTid } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import { itemsOf, textOf } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import { StorageFault } from "./faults.ts";

/** The arguments of one call, read by position; what has the wrong type is a `type` fault, as it is in Python. */
export class Arguments {
  readonly #values: readonly Value[];

  constructor(values: readonly Value[]) {
    this.#values = values;
  }

  get count(): number {
    return this.#values.length;
  }

  /** None when it is missing. */
  value(index: number): Value {
    return this.#values[index] ?? null;
  }

  last(): Value {
    return this.#values.at(-1) ?? null;
  }

  /** A copy: received frames are not kept. */
  bytes(index: number): Buffer {
    const value = this.value(index);
    if (Buffer.isBuffer(value)) return Buffer.from(value);
    throw wrong(index, "bytes");
  }

  bytesOrNone(index: number): Buffer | null {
    return this.value(index) === null ? null : this.bytes(index);
  }

  oid(index: number): Buffer {
    const bytes = this.bytes(index);
    if (bytes.length !== ID_BYTES) throw wrong(index, "an oid");
    return bytes;
  }

  tid(index: number): Tid {
    const value = this.value(index);
    if (Buffer.isBuffer(value) && value.length === ID_BYTES) return readTid(value);
    throw wrong(index, "a tid");
  }

  /** Null for None. */
  tidOrNone(index: number): Tid | null {
    return this.value(index) === null ? null : this.tid(index);
  }

  /** `fallback` when it is missing. */
  integer(index: number, fallback: number): number {
    if (index >= this.count) return fallback;
    const value = this.value(index);
    if (typeof value === "number" && Number.isInteger(value)) return value;
    if (typeof value === "bigint") return Number(value);
    if (typeof value === "boolean") return value ? 1 : 0;
    throw wrong(index, "an integer");
  }

  /** As Python takes it for true. */
  truth(index: number): boolean {
    const value = this.value(index);
    return !(value === null || value === false || value === 0 || value === "" || value === 0n);
  }

  text(index: number): string {
    const text = textOf(this.value(index));
    if (text === undefined) throw wrong(index, "text");
    return text;
  }

  /** Text or bytes as bytes. */
  raw(index: number): Buffer {
    const value = this.value(index);
    if (Buffer.isBuffer(value)) return Buffer.from(value);
    if (typeof value === "string") return Buffer.from(value, "utf8");
    return Buffer.alloc(0);
  }

  items(index: number): readonly Value[] {
    const items = itemsOf(this.value(index));
    if (items === undefined) throw wrong(index, "a list");
    return items;
  }
}

function wrong(index: number, expected: string): StorageFault {
  return new StorageFault({ kind: "type", reason: `argument ${index + 1} must be ${expected}` });
}
