import { checkTree, MAX_DECODED, PRICE_BUFFER, PRICE_MAP, PRICE_PLAIN, PRICE_TUPLE } from "../bounds.ts";
import { ProtocolError } from "../errors.ts";
import type { Value } from "../value.ts";
import { PyGlobal, PyObject, PyTuple } from "../value.ts";
import { longInteger, textInteger } from "./numbers.ts";
import * as op from "./opcodes.ts";
import { quotedString, rawUnicode, textFloat } from "./text.ts";

/** A tree may count shared parts again, up to so many values in all. */
const MAX_NODES = 4_000_000;
const MAX_LINE = 65_536;

/** An object under construction: `BUILD` comes after the object was made and perhaps memoized. */
class MutableObject extends PyObject {
  declare state: Value | undefined;
}

/**
 * Reads one pickle to its `STOP`, which must be the last byte. The value is what is on top then. Executes nothing: globals and instances stay names
 * (`PyGlobal`, `PyObject`). Byte strings are views into `bytes`.
 *
 * `from` and `stack` resume in the middle of a pickle: reading begins at `from` as if `stack` had been built by what
 * stands before. A `MARK_VALUE` in it stands for a mark.
 *
 * Raises `ProtocolError` (`bad-pickle`) for bytes that are no pickle, that nest too deep, or whose value would take
 * too much memory.
 */
export function readPickle(bytes: Buffer, from = 0, stack: readonly (Value | typeof MARK_VALUE)[] = []): Value {
  const machine = new Machine(bytes, from);
  machine.prime(stack);
  const value = machine.run();
  checkTree(value, "bad-pickle", MAX_NODES);
  return value;
}

export const MARK_VALUE: unique symbol = Symbol("mark");

class Machine {
  private readonly bytes: Buffer;
  private at: number;
  private stack: Value[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, Value>();
  private spent = 0;

  constructor(bytes: Buffer, from: number) {
    this.bytes = bytes;
    this.at = from;
  }

  prime(stack: readonly (Value | typeof MARK_VALUE)[]): void {
    for (const value of stack) {
      if (value === MARK_VALUE) this.marks.push(this.stack.length);
      else this.stack.push(value);
    }
  }

  run(): Value {
    for (;;) {
      const code = this.bytes[this.at];
      if (code === undefined) throw this.error("an opcode", "the end");
      this.at += 1;
      if (code === op.STOP) return this.stop();
      if (!this.atom(code) && !this.container(code) && !this.memory(code) && !this.instance(code)) {
        this.at -= 1;
        throw this.error("a pickle opcode", `0x${code.toString(16)}`);
      }
    }
  }

  private stop(): Value {
    if (this.at !== this.bytes.length) throw this.error("the end", `${this.bytes.length - this.at} more bytes`);
    // What lies below is what a failed message left: see `behindLeftovers`. Python's unpickler ignores it too.
    return this.pop();
  }

  /** Opcodes that push one value that holds no others. */
  private atom(code: number): boolean {
    const { bytes } = this;
    switch (code) {
      case op.NONE:
        return this.push(null, PRICE_PLAIN);
      case op.NEWTRUE:
        return this.push(true, PRICE_PLAIN);
      case op.NEWFALSE:
        return this.push(false, PRICE_PLAIN);
      case op.BININT1:
        return this.push(bytes[this.take(1)] as number, PRICE_PLAIN);
      case op.BININT2:
        return this.push(bytes.readUInt16LE(this.take(2)), PRICE_PLAIN);
      case op.BININT:
        return this.push(bytes.readInt32LE(this.take(4)), PRICE_PLAIN);
      case op.INT:
        return this.push(this.integerLine(true), PRICE_PLAIN);
      case op.LONG:
        return this.push(this.integerLine(false), PRICE_PLAIN);
      case op.LONG1:
        return this.push(this.long(bytes[this.take(1)] as number), PRICE_PLAIN);
      case op.LONG4: {
        const length = bytes.readInt32LE(this.take(4));
        if (length < 0) throw this.error("a length", "a negative one");
        return this.push(this.long(length), PRICE_PLAIN);
      }
      case op.FLOAT:
        return this.push(textFloat(this.line(), this.at), PRICE_PLAIN);
      case op.BINFLOAT:
        return this.push(bytes.readDoubleBE(this.take(8)), PRICE_PLAIN);
      case op.STRING:
        return this.push(quotedString(this.line(), this.at), PRICE_BUFFER);
      case op.UNICODE:
        return this.push(rawUnicode(this.line(), this.at), PRICE_PLAIN);
      case op.SHORT_BINSTRING:
      case op.SHORT_BINBYTES:
        return this.push(this.view(this.length1()), PRICE_BUFFER);
      case op.BINSTRING:
      case op.BINBYTES:
        return this.push(this.view(this.length4()), PRICE_BUFFER);
      case op.BINBYTES8:
      case op.BYTEARRAY8:
        return this.push(this.view(this.length8()), PRICE_BUFFER);
      case op.SHORT_BINUNICODE:
        return this.push(this.text(this.length1()), PRICE_PLAIN);
      case op.BINUNICODE:
        return this.push(this.text(this.length4()), PRICE_PLAIN);
      case op.BINUNICODE8:
        return this.push(this.text(this.length8()), PRICE_PLAIN);
      default:
        return false;
    }
  }

  /** Tuples, lists, dictionaries, sets, and the stack itself. */
  private container(code: number): boolean {
    switch (code) {
      case op.MARK:
        this.spend(PRICE_PLAIN);
        this.marks.push(this.stack.length);
        return true;
      case op.EMPTY_TUPLE:
        return this.push(new PyTuple([]), PRICE_TUPLE);
      case op.TUPLE1:
      case op.TUPLE2:
      case op.TUPLE3:
        return this.push(new PyTuple(this.popMany(code - op.TUPLE1 + 1)), PRICE_TUPLE);
      case op.TUPLE:
        return this.push(new PyTuple(this.popMark()), PRICE_TUPLE);
      case op.EMPTY_LIST:
        return this.push([], PRICE_TUPLE);
      case op.LIST:
        return this.push(this.popMark(), PRICE_TUPLE);
      case op.APPEND: {
        const item = this.pop();
        return this.append([item]);
      }
      case op.APPENDS:
        return this.append(this.popMark());
      case op.EMPTY_DICT:
        return this.push(new Map(), PRICE_MAP);
      case op.DICT: {
        const items = this.popMark();
        this.push(new Map(), PRICE_MAP);
        return this.setItems(items);
      }
      case op.SETITEM:
        return this.setItems(this.popMany(2));
      case op.SETITEMS:
        return this.setItems(this.popMark());
      case op.EMPTY_SET:
        return this.push(new PyObject(new PyGlobal("builtins", "set"), new PyTuple([[]])), PRICE_MAP);
      case op.ADDITEMS: {
        const items = this.popMark();
        const set = this.pop();
        if (!(set instanceof PyObject)) throw this.error("a set", "another value");
        return this.push(new PyObject(set.callable, new PyTuple([items])), PRICE_MAP);
      }
      case op.FROZENSET:
        return this.push(new PyObject(new PyGlobal("builtins", "frozenset"), new PyTuple([this.popMark()])), PRICE_MAP);
      case op.POP:
        // The mark itself may be what is popped: Python 2 writes that for a tuple that contains itself.
        if (this.marks.at(-1) === this.stack.length) this.marks.pop();
        else this.pop();
        return true;
      case op.POP_MARK:
        this.popMark();
        return true;
      case op.DUP:
        return this.push(this.top(), PRICE_PLAIN);
      default:
        return false;
    }
  }

  /** The memo, and what frames a pickle. */
  private memory(code: number): boolean {
    const { bytes } = this;
    switch (code) {
      case op.PROTO: {
        const version = bytes[this.take(1)] as number;
        if (version > op.MAX_PROTOCOL) throw this.error("a protocol up to 5", String(version));
        return true;
      }
      case op.FRAME:
        this.length8();
        return true;
      case op.BINPUT:
        return this.put(bytes[this.take(1)] as number);
      case op.LONG_BINPUT:
        return this.put(bytes.readUInt32LE(this.take(4)));
      case op.PUT:
        return this.put(this.memoLine());
      case op.MEMOIZE:
        return this.put(this.memo.size);
      case op.BINGET:
        return this.get(bytes[this.take(1)] as number);
      case op.LONG_BINGET:
        return this.get(bytes.readUInt32LE(this.take(4)));
      case op.GET:
        return this.get(this.memoLine());
      default:
        return false;
    }
  }

  /** Globals and instances, by name only. */
  private instance(code: number): boolean {
    switch (code) {
      case op.GLOBAL: {
        const module = this.line();
        return this.push(new PyGlobal(module, this.line()), PRICE_BUFFER);
      }
      case op.STACK_GLOBAL: {
        const [module, name] = this.popMany(2);
        if (typeof module !== "string" || typeof name !== "string") throw this.error("two names", "other values");
        return this.push(new PyGlobal(module, name), PRICE_BUFFER);
      }
      case op.EXT1:
        return this.extension(this.bytes[this.take(1)] as number);
      case op.EXT2:
        return this.extension(this.bytes.readUInt16LE(this.take(2)));
      case op.EXT4:
        return this.extension(this.bytes.readInt32LE(this.take(4)));
      case op.REDUCE:
      case op.NEWOBJ: {
        const [callable, args] = this.popMany(2) as [Value, Value];
        return this.object(callable, args);
      }
      case op.NEWOBJ_EX: {
        const [callable, args, keywords] = this.popMany(3) as [Value, Value, Value];
        return this.object(callable, new PyTuple([args, keywords]));
      }
      case op.INST: {
        const module = this.line();
        const name = this.line();
        return this.object(new PyGlobal(module, name), new PyTuple(this.popMark()));
      }
      case op.OBJ: {
        const [callable, ...args] = this.popMark();
        if (callable === undefined) throw this.error("a class", "nothing");
        return this.object(callable, new PyTuple(args));
      }
      case op.PERSID:
        return this.object(new PyGlobal("pickle", "persistent_load"), this.line());
      case op.BINPERSID:
        return this.object(new PyGlobal("pickle", "persistent_load"), this.pop());
      case op.BUILD: {
        const state = this.pop();
        const object = this.top();
        if (object instanceof MutableObject) object.state = state;
        else {
          // A class or a container with a state of its own: keep both.
          this.pop();
          this.push(new PyObject(object, new PyTuple([]), state), PRICE_TUPLE);
        }
        return true;
      }
      default:
        return false;
    }
  }

  private object(callable: Value, args: Value): true {
    return this.push(new MutableObject(callable, args), PRICE_TUPLE);
  }

  private extension(code: number): true {
    return this.push(new PyGlobal("copyreg.extension", String(code)), PRICE_BUFFER);
  }

  private append(items: Value[]): true {
    const list = this.top();
    if (Array.isArray(list)) {
      this.spend(items.length * PRICE_PLAIN);
      const target = list as Value[];
      for (const item of items) target.push(item);
      return true;
    }
    // A subclass of list: its items come behind the instance.
    if (list instanceof PyObject) return true;
    throw this.error("a list", "another value");
  }

  private setItems(items: Value[]): true {
    if (items.length % 2 !== 0) throw this.error("keys with values", "a key without");
    const map = this.top();
    if (map instanceof Map) {
      this.spend(items.length * PRICE_PLAIN * 2);
      const target = map as Map<Value, Value>;
      for (let i = 0; i < items.length; i += 2) target.set(items[i] as Value, items[i + 1] as Value);
      return true;
    }
    if (map instanceof PyObject) return true;
    throw this.error("a dictionary", "another value");
  }

  private put(index: number): true {
    this.spend(PRICE_TUPLE);
    this.memo.set(index, this.top());
    return true;
  }

  private get(index: number): true {
    const value = this.memo.get(index);
    if (value === undefined) throw this.error("a memo that was written", String(index));
    return this.push(value, PRICE_PLAIN);
  }

  private push(value: Value, price: number): true {
    this.spend(price);
    this.stack.push(value);
    return true;
  }

  private spend(price: number): void {
    this.spent += price;
    if (this.spent > MAX_DECODED) throw this.error(`a value of at most ${MAX_DECODED} bytes in memory`, "more");
  }

  private top(): Value {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw this.error("a value", "none");
    return this.stack.at(-1) as Value;
  }

  private pop(): Value {
    this.top();
    return this.stack.pop() as Value;
  }

  private popMany(count: number): Value[] {
    if (this.stack.length - (this.marks.at(-1) ?? 0) < count) throw this.error(`${count} values`, "fewer");
    return this.stack.splice(this.stack.length - count, count);
  }

  private popMark(): Value[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.error("a mark", "none");
    return this.stack.splice(mark);
  }

  /** Claims `length` bytes and gives the offset of the first. */
  private take(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) {
      throw this.error(`${length} bytes`, `${this.bytes.length - start}`);
    }
    this.at = start + length;
    return start;
  }

  private view(length: number): Buffer {
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  private text(length: number): string {
    const start = this.take(length);
    return this.bytes.toString("utf8", start, start + length);
  }

  private long(length: number): number | bigint {
    return longInteger(this.bytes, this.take(length), length);
  }

  private length1(): number {
    return this.bytes[this.take(1)] as number;
  }

  private length4(): number {
    return this.bytes.readUInt32LE(this.take(4));
  }

  private length8(): number {
    const start = this.take(8);
    const high = this.bytes.readUInt32LE(start + 4);
    if (high > 0x1fffff) throw this.error("a length below 2^53", "a longer one");
    return high * 2 ** 32 + this.bytes.readUInt32LE(start);
  }

  /** A text argument, without its line feed. */
  private line(): string {
    const start = this.at;
    const limit = Math.min(this.bytes.length, start + MAX_LINE);
    let end = start;
    while (end < limit && this.bytes[end] !== 0x0a) end++;
    if (end >= limit) throw this.error("a line", "no end of it");
    this.at = end + 1;
    return this.bytes.toString("latin1", start, end);
  }

  private integerLine(booleans: boolean): Value {
    const start = this.at;
    const text = this.line();
    if (booleans && text === "00") return false;
    if (booleans && text === "01") return true;
    return textInteger(text, start);
  }

  private memoLine(): number {
    const start = this.at;
    const index = textInteger(this.line(), start);
    if (typeof index !== "number" || index < 0) throw this.error("a memo index", "another number");
    return index;
  }

  private error(expected: string, got: string): ProtocolError {
    return new ProtocolError("bad-pickle", this.at, expected, got);
  }
}
