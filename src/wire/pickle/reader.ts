import { checkTree, PRICE_BUFFER, PRICE_MAP, PRICE_PLAIN, PRICE_TUPLE } from "../bounds.ts";
import type { Value } from "../value.ts";
import { PyGlobal, PyObject, PyTuple } from "../value.ts";
import { PickleInput } from "./input.ts";
import * as op from "./opcodes.ts";
import { PickleStack } from "./stack.ts";
import { quotedString, rawUnicode, textFloat } from "./text.ts";

/** A tree may count shared parts again, up to so many values in all. */
const MAX_NODES = 4_000_000;

/** An object under construction: `BUILD` comes after the object was made and perhaps memoized. */
class MutableObject extends PyObject {
  declare state: Value | undefined;
}

/**
 * Reads one pickle to its `STOP`, which must be the last byte. The value is what is on top then. Executes nothing:
 * globals and instances stay names (`PyGlobal`, `PyObject`). Byte strings are views into `bytes`. What an instance
 * takes up one by one (the items of a subclass of list or dict) is left out.
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
  private readonly input: PickleInput;
  private readonly stack: PickleStack;
  private readonly memo = new Map<number, Value>();

  constructor(bytes: Buffer, from: number) {
    this.input = new PickleInput(bytes, from);
    this.stack = new PickleStack(this.input);
  }

  prime(stack: readonly (Value | typeof MARK_VALUE)[]): void {
    for (const value of stack) {
      if (value === MARK_VALUE) this.stack.mark();
      else this.stack.push(value, PRICE_PLAIN);
    }
  }

  run(): Value {
    const { input } = this;
    for (;;) {
      const code = input.byte();
      if (code === op.STOP) return this.stop();
      if (!this.atom(code) && !this.container(code) && !this.memory(code) && !this.instance(code)) {
        input.at -= 1;
        throw input.error("a pickle opcode", `0x${code.toString(16)}`);
      }
    }
  }

  private stop(): Value {
    const { input } = this;
    const rest = input.bytes.length - input.at;
    if (rest > 0) throw input.error("the end", `${rest} more bytes`);
    // What lies below is what a failed message left: see `behindLeftovers`. Python's unpickler ignores it too.
    return this.stack.pop();
  }

  /** Opcodes that push one value that holds no others. */
  private atom(code: number): boolean {
    const { input, stack } = this;
    switch (code) {
      case op.NONE:
        return stack.push(null, PRICE_PLAIN);
      case op.NEWTRUE:
        return stack.push(true, PRICE_PLAIN);
      case op.NEWFALSE:
        return stack.push(false, PRICE_PLAIN);
      case op.BININT1:
        return stack.push(input.byte(), PRICE_PLAIN);
      case op.BININT2:
        return stack.push(input.uint16(), PRICE_PLAIN);
      case op.BININT:
        return stack.push(input.int32(), PRICE_PLAIN);
      case op.INT:
        return stack.push(input.integerLine(), PRICE_PLAIN);
      case op.LONG:
        return stack.push(input.longLine(), PRICE_PLAIN);
      case op.LONG1:
        return stack.push(input.long(input.byte()), PRICE_PLAIN);
      case op.LONG4:
        return stack.push(input.long(input.int32()), PRICE_PLAIN);
      case op.FLOAT:
        return stack.push(textFloat(input.line(), input.at), PRICE_PLAIN);
      case op.BINFLOAT:
        return stack.push(input.double(), PRICE_PLAIN);
      case op.STRING:
        return stack.push(quotedString(input.line(), input.at), PRICE_BUFFER);
      case op.UNICODE:
        return stack.push(rawUnicode(input.line(), input.at), PRICE_PLAIN);
      case op.SHORT_BINSTRING:
      case op.SHORT_BINBYTES:
        return stack.push(input.view(input.byte()), PRICE_BUFFER);
      case op.BINSTRING:
      case op.BINBYTES:
        return stack.push(input.view(input.uint32()), PRICE_BUFFER);
      case op.BINBYTES8:
      case op.BYTEARRAY8:
        return stack.push(input.view(input.length8()), PRICE_BUFFER);
      case op.SHORT_BINUNICODE:
        return stack.push(input.text(input.byte()), PRICE_PLAIN);
      case op.BINUNICODE:
        return stack.push(input.text(input.uint32()), PRICE_PLAIN);
      case op.BINUNICODE8:
        return stack.push(input.text(input.length8()), PRICE_PLAIN);
      default:
        return false;
    }
  }

  /** Tuples, lists, dictionaries, sets, and the stack itself. */
  private container(code: number): boolean {
    const { input, stack } = this;
    switch (code) {
      case op.MARK:
        return stack.mark();
      case op.EMPTY_TUPLE:
        return stack.push(new PyTuple([]), PRICE_TUPLE);
      case op.TUPLE1:
      case op.TUPLE2:
      case op.TUPLE3:
        return stack.push(new PyTuple(stack.popMany(code - op.TUPLE1 + 1)), PRICE_TUPLE);
      case op.TUPLE:
        return stack.push(new PyTuple(stack.popMark()), PRICE_TUPLE);
      case op.EMPTY_LIST:
        return stack.push([], PRICE_TUPLE);
      case op.LIST:
        return stack.push(stack.popMark(), PRICE_TUPLE);
      case op.APPEND: {
        const item = stack.pop();
        return this.append([item]);
      }
      case op.APPENDS:
        return this.append(stack.popMark());
      case op.EMPTY_DICT:
        return stack.push(new Map(), PRICE_MAP);
      case op.DICT: {
        const items = stack.popMark();
        stack.push(new Map(), PRICE_MAP);
        return this.setItems(items);
      }
      case op.SETITEM:
        return this.setItems(stack.popMany(2));
      case op.SETITEMS:
        return this.setItems(stack.popMark());
      case op.EMPTY_SET:
        return stack.push(new PyObject(new PyGlobal("builtins", "set"), new PyTuple([[]])), PRICE_MAP);
      case op.ADDITEMS: {
        const items = stack.popMark();
        const set = stack.top();
        const held = set instanceof PyObject && set.args instanceof PyTuple ? set.args.items[0] : undefined;
        if (!Array.isArray(held)) throw input.error("a set", "another value");
        stack.spend(items.length * PRICE_PLAIN);
        for (const item of items) (held as Value[]).push(item);
        return true;
      }
      case op.FROZENSET:
        return stack.push(new PyObject(new PyGlobal("builtins", "frozenset"), new PyTuple([stack.popMark()])), PRICE_MAP);
      case op.POP:
        return stack.popValueOrMark();
      case op.POP_MARK:
        stack.popMark();
        return true;
      case op.DUP:
        return stack.push(stack.top(), PRICE_PLAIN);
      default:
        return false;
    }
  }

  /** The memo, and what frames a pickle. */
  private memory(code: number): boolean {
    const { input } = this;
    switch (code) {
      case op.PROTO: {
        const version = input.byte();
        if (version > op.MAX_PROTOCOL) throw input.error("a protocol up to 5", String(version));
        return true;
      }
      case op.FRAME:
        input.length8();
        return true;
      case op.BINPUT:
        return this.put(input.byte());
      case op.LONG_BINPUT:
        return this.put(input.uint32());
      case op.PUT:
        return this.put(input.memoLine());
      case op.MEMOIZE:
        return this.put(this.memo.size);
      case op.BINGET:
        return this.get(input.byte());
      case op.LONG_BINGET:
        return this.get(input.uint32());
      case op.GET:
        return this.get(input.memoLine());
      default:
        return false;
    }
  }

  /** Globals and instances, by name only. */
  private instance(code: number): boolean {
    const { input, stack } = this;
    switch (code) {
      case op.GLOBAL: {
        const module = input.line();
        return stack.push(new PyGlobal(module, input.line()), PRICE_BUFFER);
      }
      case op.STACK_GLOBAL: {
        const [module, name] = stack.popMany(2);
        if (typeof module !== "string" || typeof name !== "string") throw input.error("two names", "other values");
        return stack.push(new PyGlobal(module, name), PRICE_BUFFER);
      }
      case op.EXT1:
        return this.extension(input.byte());
      case op.EXT2:
        return this.extension(this.input.uint16());
      case op.EXT4:
        return this.extension(this.input.int32());
      case op.REDUCE:
      case op.NEWOBJ: {
        const [callable, args] = stack.popMany(2) as [Value, Value];
        return this.object(callable, args);
      }
      case op.NEWOBJ_EX: {
        const [callable, args, keywords] = stack.popMany(3) as [Value, Value, Value];
        return this.object(callable, new PyTuple([args, keywords]));
      }
      case op.INST: {
        const module = input.line();
        const name = input.line();
        return this.object(new PyGlobal(module, name), new PyTuple(stack.popMark()));
      }
      case op.OBJ: {
        const [callable, ...args] = stack.popMark();
        if (callable === undefined) throw input.error("a class", "nothing");
        return this.object(callable, new PyTuple(args));
      }
      case op.PERSID:
        return this.object(new PyGlobal("pickle", "persistent_load"), input.line());
      case op.BINPERSID:
        return this.object(new PyGlobal("pickle", "persistent_load"), stack.pop());
      case op.BUILD: {
        const state = stack.pop();
        const object = stack.top();
        if (object instanceof MutableObject) object.state = state;
        else {
          // A class or a container with a state of its own: keep both.
          stack.pop();
          stack.push(new PyObject(object, new PyTuple([]), state), PRICE_TUPLE);
        }
        return true;
      }
      default:
        return false;
    }
  }

  private object(callable: Value, args: Value): true {
    const { stack } = this;
    return stack.push(new MutableObject(callable, args), PRICE_TUPLE);
  }

  private extension(code: number): true {
    const { stack } = this;
    return stack.push(new PyGlobal("copyreg.extension", String(code)), PRICE_BUFFER);
  }

  private append(items: Value[]): true {
    const { input, stack } = this;
    const list = stack.top();
    if (Array.isArray(list)) {
      stack.spend(items.length * PRICE_PLAIN);
      const target = list as Value[];
      for (const item of items) target.push(item);
      return true;
    }
    // A subclass of list: its items come behind the instance.
    if (list instanceof PyObject) return true;
    throw input.error("a list", "another value");
  }

  private setItems(items: Value[]): true {
    const { input, stack } = this;
    if (items.length % 2 !== 0) throw input.error("keys with values", "a key without");
    const map = stack.top();
    if (map instanceof Map) {
      stack.spend(items.length * PRICE_PLAIN * 2);
      const target = map as Map<Value, Value>;
      for (let i = 0; i < items.length; i += 2) target.set(items[i] as Value, items[i + 1] as Value);
      return true;
    }
    if (map instanceof PyObject) return true;
    throw input.error("a dictionary", "another value");
  }

  private put(index: number): true {
    const { stack } = this;
    stack.spend(PRICE_TUPLE);
    this.memo.set(index, stack.top());
    return true;
  }

  private get(index: number): true {
    const { input, stack } = this;
    const value = this.memo.get(index);
    if (value === undefined) throw input.error("a memo that was written", String(index));
    return stack.push(value, PRICE_PLAIN);
  }
}
