import type { ProtocolError } from "../errors.ts";
import type { Work } from "../work.ts";
import * as op from "./opcodes.ts";
import { unexpected } from "./unexpected.ts";
import * as walk from "./walk.ts";

// Names of this module: as properties of another one they are slow to read under vitest, by getters.
const { EMPTY_TUPLE, STOP, TUPLE, TUPLE1 } = op;
const { DROPS, DROPS_MARK, INTO, JOINS1, JOINS2, JOINS3, JOINS_MARK, MARKS, NOISE, PUSHES, effectOf, opcodeEnd } = walk;

/** Values that are looked at: no call that is read has more arguments. */
const CAPACITY = 8;

/** Picklers recurse, and none goes so deep. */
const MAX_MARKS = 10_000;

/** Where a value stands: its bytes are a pickle without the stop, but for what its memo reads refer to. */
export interface Span {
  readonly from: number;
  readonly end: number;
}

/**
 * Where the value of a message stands, and if that is a tuple where its items stand. Nothing is made of them: the stack
 * is a number, and only the first few values on it have a place.
 */
export class Outline {
  readonly #bytes: Buffer;
  readonly #work: Work;
  readonly #marks: number[] = [];
  /** The first values on the stack: where each begins and ends. */
  readonly #from: number[] = [];
  readonly #end: number[] = [];
  #height = 0;
  /** The same of the items of the tuple that the first value is. */
  readonly #itemFrom: number[] = [];
  readonly #itemEnd: number[] = [];
  #count = -1;

  /** The mark of a tuple that has all items that are needed, and what could not be walked over comes behind them. */
  #enoughAt = -1;

  /**
   * `at`: behind the message's envelope. `need`: so many items are enough; where something behind them can't be walked
   * over, that is no error. Raises `ProtocolError` for what is no pickle, or not a message's.
   */
  constructor(bytes: Buffer, at: number, need: number, work: Work) {
    this.#bytes = bytes;
    this.#work = work;
    this.#walk(at, need);
  }

  /** How many items the value has, if it is a tuple, else -1; `need` where it may have more. */
  get count(): number {
    return this.#count;
  }

  item(index: number): Span | undefined {
    const from = this.#itemFrom[index];
    const end = this.#itemEnd[index];
    return index < this.#count && from !== undefined && end !== undefined ? { from, end } : undefined;
  }

  #walk(start: number, need: number): void {
    const bytes = this.#bytes;
    const marks = this.#marks;
    let at = start;
    let steps = 0;
    for (;;) {
      const end = opcodeEnd(bytes, at);
      if (end < 0) {
        this.#work.spend(steps, at);
        this.#endEarly(at, need);
        return;
      }
      // In lots: this is done for each byte of what somebody made up.
      if (++steps === 256) {
        this.#work.spend(steps, at);
        steps = 0;
      }
      const code = bytes[at] as number;
      switch (effectOf(code)) {
        case NOISE:
          break;
        case PUSHES:
          this.#isEnough(need);
          this.#put(this.#height++, at, end);
          if (this.#height === 1) this.#count = code === EMPTY_TUPLE ? this.#keepItems(0) : -1;
          break;
        case MARKS:
          this.#isEnough(need);
          if (marks.length >= MAX_MARKS * 2) throw this.#error(at, `at most ${MAX_MARKS} marks in one another`);
          marks.push(at, this.#height);
          break;
        case JOINS1:
          this.#join(1, at, end);
          break;
        case JOINS2:
          this.#join(2, at, end);
          break;
        case JOINS3:
          this.#join(3, at, end);
          break;
        case JOINS_MARK:
          if (marks.length === 0 && code === TUPLE) {
            this.#work.spend(steps, at);
            this.#finish(at, end);
            return;
          }
          this.#joinMark(code, at, end);
          break;
        case INTO:
          this.#dropMark(at);
          if (this.#room < 1) throw this.#error(at, "a value before the mark");
          this.#changed(this.#height - 1, end);
          break;
        case DROPS:
          if (marks.length > 0 && this.#room === 0) marks.length -= 2;
          else this.#drop(1, at);
          break;
        case DROPS_MARK:
          this.#dropMark(at);
          break;
        default:
          throw this.#error(at, "the end of a message");
      }
      at = end;
    }
  }

  /** Another item begins. Do as many as are needed stand there, in a tuple that begins with a mark? */
  #isEnough(need: number): void {
    if (this.#height !== need || this.#marks.length !== 2 || this.#marks[1] !== 0) return;
    this.#enoughAt = this.#marks[0] as number;
    this.#keepItems(need);
  }

  #endEarly(at: number, need: number): void {
    if (this.#enoughAt < 0 || this.#marks[0] !== this.#enoughAt) throw this.#error(at, "a pickle opcode");
    this.#count = need;
  }

  /** How many values are above the last mark. */
  get #room(): number {
    return this.#height - (this.#marks.at(-1) ?? 0);
  }

  #put(index: number, from: number, end: number): void {
    if (index >= CAPACITY) return;
    this.#from[index] = from;
    this.#end[index] = end;
  }

  #changed(index: number, end: number): void {
    if (index < CAPACITY) this.#end[index] = end;
    if (index === 0) this.#count = -1;
  }

  #drop(count: number, at: number): void {
    if (this.#room < count) throw this.#error(at, `${count} values`);
    this.#height -= count;
  }

  #dropMark(at: number): void {
    const height = this.#marks.pop();
    if (height === undefined) throw this.#error(at, "a mark");
    this.#marks.pop();
    this.#height = height;
  }

  #join(count: number, at: number, end: number): void {
    this.#drop(count, at);
    const isTuple = (this.#bytes[at] as number) === TUPLE1 + count - 1;
    const kept = isTuple && this.#height === 0 ? this.#keepItems(count) : -1;
    this.#changed(this.#height, end);
    if (this.#height === 0) this.#count = kept;
    this.#height++;
  }

  #joinMark(code: number, at: number, end: number): void {
    const from = this.#marks.at(-2);
    const before = this.#height;
    this.#dropMark(at);
    const kept = code === TUPLE && this.#height === 0 ? this.#keepItems(before) : -1;
    this.#put(this.#height, from as number, end);
    if (this.#height === 0) this.#count = kept;
    this.#height++;
  }

  #keepItems(count: number): number {
    const kept = Math.min(count, CAPACITY);
    for (let index = 0; index < kept; index++) {
      this.#itemFrom[index] = this.#from[index] as number;
      this.#itemEnd[index] = this.#end[index] as number;
    }
    return count;
  }

  /** The end of the message's own tuple, at `at`; only the stop is left. */
  #finish(at: number, end: number): void {
    const bytes = this.#bytes;
    let next = end;
    while (effectOf(bytes[next] ?? 0) === NOISE) {
      next = opcodeEnd(bytes, next);
      this.#work.spend(1, at);
      if (next < 0) break;
    }
    if (this.#height !== 1 || bytes[next] !== STOP || next !== bytes.length - 1) {
      throw this.#error(at, "the end of a message");
    }
  }

  #error(at: number, expected: string): ProtocolError {
    return unexpected(at, expected, this.#bytes[at]);
  }
}
