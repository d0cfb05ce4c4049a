import { ProtocolError } from "../errors.ts";
import type { Value } from "../value.ts";
import { longInteger, textInteger } from "./numbers.ts";

const MAX_LINE = 65_536;

/** The bytes of a whole pickle and how far they were read. Every read checks its length first. */
export class PickleInput {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, from: number) {
    this.bytes = bytes;
    this.at = from;
  }

  /** An error at the place reached. */
  error(expected: string, got: string): ProtocolError {
    return new ProtocolError("bad-pickle", this.at, expected, got);
  }

  /** Claims `length` bytes and gives the offset of the first. */
  take(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) {
      throw this.error(`${length} bytes`, `${this.bytes.length - start}`);
    }
    this.at = start + length;
    return start;
  }

  byte(): number {
    return this.bytes[this.take(1)] as number;
  }

  uint16(): number {
    return this.bytes.readUInt16LE(this.take(2));
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.take(4));
  }

  int32(): number {
    return this.bytes.readInt32LE(this.take(4));
  }

  double(): number {
    return this.bytes.readDoubleBE(this.take(8));
  }

  /** A length of eight bytes. */
  length8(): number {
    const start = this.take(8);
    const high = this.bytes.readUInt32LE(start + 4);
    if (high > 0x1fffff) throw this.error("a length below 2^53", "a longer one");
    return high * 2 ** 32 + this.bytes.readUInt32LE(start);
  }

  view(length: number): Buffer {
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  text(length: number): string {
    const start = this.take(length);
    return this.bytes.toString("utf8", start, start + length);
  }

  long(length: number): number | bigint {
    if (length < 0) throw this.error("a length", "a negative one");
    return longInteger(this.bytes, this.take(length), length);
  }

  /** A text argument, without its line feed. */
  line(): string {
    const start = this.at;
    const limit = Math.min(this.bytes.length, start + MAX_LINE);
    let end = start;
    while (end < limit && this.bytes[end] !== 0x0a) end++;
    if (end >= limit) throw this.error("a line", "no end of it");
    this.at = end + 1;
    return this.bytes.toString("latin1", start, end);
  }

  /** The argument of an `INT`, where protocol 1 has booleans too. */
  integerLine(): Value {
    const start = this.at;
    const text = this.line();
    if (text === "00") return false;
    return text === "01" ? true : textInteger(text, start);
  }

  longLine(): number | bigint {
    const start = this.at;
    return textInteger(this.line(), start);
  }

  memoLine(): number {
    const index = this.longLine();
    if (typeof index !== "number" || index < 0) throw this.error("a memo index", "another number");
    return index;
  }
}
