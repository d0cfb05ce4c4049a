import { ProtocolError } from "../errors.ts";
import type { Value } from "../value.ts";
import { stepsFor, type Work } from "../work.ts";
import { lineInteger, longInteger } from "./numbers.ts";

const MAX_LINE = 65_536;

/** The bytes of a whole pickle and how far they were read. Every read checks its length first. */
export class PickleInput {
  readonly bytes: Buffer;
  at: number;
  readonly #work: Work;

  constructor(bytes: Buffer, from: number, work: Work) {
    this.bytes = bytes;
    this.at = from;
    this.#work = work;
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
    this.#converts(length);
    return this.bytes.toString("utf8", start, start + length);
  }

  long(length: number): number | bigint {
    if (length < 0) throw this.error("a length", "a negative one");
    const start = this.take(length);
    this.#converts(length);
    return longInteger(this.bytes, start, length);
  }

  /** A text argument, without its line feed. */
  lineBytes(): Buffer {
    const start = this.at;
    const end = this.bytes.indexOf(0x0a, start);
    if (end < 0 || end - start > MAX_LINE) throw this.error("a line", "no end of it");
    this.at = end + 1;
    this.#converts(end - start);
    return this.bytes.subarray(start, end);
  }

  /** The same as text, each byte one character. */
  line(): string {
    return this.lineBytes().toString("latin1");
  }

  /** The argument of an `INT`, where protocol 1 has booleans too. */
  integerLine(): Value {
    const start = this.at;
    const line = this.lineBytes();
    if (line.length === 2 && line[0] === 0x30 && (line[1] === 0x30 || line[1] === 0x31)) return line[1] === 0x31;
    return lineInteger(this.bytes, start, line.length);
  }

  longLine(): number | bigint {
    const start = this.at;
    const { length } = this.lineBytes();
    return lineInteger(this.bytes, start, length);
  }

  memoLine(): number {
    const index = this.longLine();
    if (typeof index !== "number" || index < 0) throw this.error("a memo index", "another number");
    return index;
  }

  #converts(length: number): void {
    this.#work.spend(stepsFor(length), this.at);
  }
}
