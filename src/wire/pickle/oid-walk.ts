import { ID_BYTES } from "../ids.ts";
import { copyId } from "../packed.ts";
import { AtomCursor, BYTES } from "./atoms.ts";
import { indexAt } from "./memo.ts";
import type { OidList } from "./oids.ts";
import * as op from "./opcodes.ts";
import * as walk from "./walk.ts";

// Names of this module: as properties of another one they are slow to read under vitest, by getters.
const { APPEND, APPENDS, BINGET, EMPTY_LIST, FRAME, GET, LONG_BINGET, MARK, MEMOIZE, PROTO, TUPLE, TUPLE2 } = op;
const { INTO, JOINS2, JOINS_MARK, MARKS, NOISE, PUSHES, effectOf, opcodeEnd } = walk;

/** Stands for a value that is no oid. */
const OTHER = -1;

/**
 * The same as `scanOids` for whatever way a pickler writes it: with a memo, with frames, in any protocol that has binary
 * strings, in pairs with anything behind the oid. A value is the number where its eight bytes are, and no object.
 * Undefined for a list of anything else.
 */
export function walkOids(bytes: Buffer, at: number): OidList | undefined {
  return new OidWalk(bytes).read(at);
}

class OidWalk {
  readonly #bytes: Buffer;
  readonly #cursor: AtomCursor;
  /** Where the eight bytes of each value on the stack are, and how many were below each mark. */
  readonly #values: number[] = [];
  readonly #marks: number[] = [];
  readonly #memo: number[] = [];
  #memoized = 0;
  /** What the list has. */
  #oids = Buffer.alloc(0);
  #filled = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#cursor = new AtomCursor(bytes, 0);
  }

  read(start: number): OidList | undefined {
    const bytes = this.#bytes;
    const marks = this.#marks;
    const isList = bytes[start] === EMPTY_LIST;
    if (!isList && bytes[start] !== MARK) return undefined;
    if (!isList) marks.push(0);
    this.#readMemo(start);
    for (let at = start + 1; ;) {
      const end = opcodeEnd(bytes, at);
      if (end < 0) return undefined;
      const code = bytes[at] as number;
      switch (effectOf(code)) {
        case NOISE:
          this.#note(code, at);
          break;
        case PUSHES:
          if (!this.#push(this.#valueAt(code, at))) return undefined;
          break;
        case MARKS:
          marks.push(this.#values.length);
          break;
        case JOINS2:
          if (code === APPEND && isList && marks.length === 0) {
            if (!this.#takeFrom(0)) return undefined;
          } else if (code !== TUPLE2 || !this.#pair(this.#values.length - 2)) {
            return this.#endsAt(isList, at);
          }
          break;
        case JOINS_MARK: {
          const mark = marks.pop();
          if (mark === undefined) return this.#endsAt(isList, at);
          if (!isList && marks.length === 0) return this.#takeFrom(mark) ? this.#list(end) : undefined;
          if (code !== TUPLE || !this.#pair(mark)) return undefined;
          break;
        }
        case INTO: {
          const mark = marks.pop();
          if (code !== APPENDS || mark === undefined || !isList || marks.length > 0) return undefined;
          if (!this.#takeFrom(mark)) return undefined;
          break;
        }
        default:
          return undefined;
      }
      at = end;
    }
  }

  /** What stands at `at` is not the list's any more. */
  #endsAt(isList: boolean, at: number): OidList | undefined {
    return isList && this.#marks.length === 0 && this.#values.length === 0 ? this.#list(at) : undefined;
  }

  #list(end: number): OidList {
    return { oids: this.#oids.subarray(0, this.#filled), end };
  }

  /** What is no oid goes with the oid before it. */
  #push(value: number): boolean {
    if (value === OTHER && (this.#values.at(-1) ?? OTHER) === OTHER) return false;
    this.#values.push(value);
    return true;
  }

  #valueAt(code: number, at: number): number {
    if (code === BINGET || code === LONG_BINGET || code === GET) {
      return this.#memo[indexAt(this.#bytes, at)] ?? OTHER;
    }
    const cursor = this.#cursor;
    cursor.at = at;
    return cursor.next() === BYTES && cursor.length === ID_BYTES ? cursor.start : OTHER;
  }

  /** What the message has written into the memo before the list. */
  #readMemo(start: number): void {
    let top = OTHER;
    for (let at = 0; at < start;) {
      const end = opcodeEnd(this.#bytes, at);
      if (end < 0) return;
      const code = this.#bytes[at] as number;
      const effect = effectOf(code);
      if (effect === NOISE) this.#note(code, at, top);
      else top = effect === PUSHES ? this.#valueAt(code, at) : OTHER;
      at = end;
    }
  }

  #note(code: number, at: number, value = this.#values.at(-1) ?? OTHER): void {
    if (code === FRAME || code === PROTO) return;
    const index = code === MEMOIZE ? this.#memoized : indexAt(this.#bytes, at);
    this.#memoized++;
    if (index >= 0) this.#memo[index] = value;
  }

  /** The two values from `from` on are an oid and what goes with it. */
  #pair(from: number): boolean {
    const values = this.#values;
    if (from < 0 || values.length !== from + 2 || values[from] === OTHER) return false;
    values.pop();
    return true;
  }

  /** The values from `from` on go into the list. */
  #takeFrom(from: number): boolean {
    const values = this.#values;
    const needed = this.#filled + (values.length - from) * ID_BYTES;
    if (needed > this.#oids.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#oids.length * 2));
      this.#oids.copy(larger, 0, 0, this.#filled);
      this.#oids = larger;
    }
    for (let i = from; i < values.length; i++) {
      const at = values[i] as number;
      if (at === OTHER) return false;
      copyId(this.#bytes, at, this.#oids, this.#filled);
      this.#filled += ID_BYTES;
    }
    values.length = from;
    return true;
  }
}
