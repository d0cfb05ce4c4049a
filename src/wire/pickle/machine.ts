import { PRICE_PLAIN, PRICE_TUPLE } from "../bounds.ts";
import type { Value } from "../value.ts";
import { PyGlobal, PyObject, PyTuple, setEntry } from "../value.ts";
import type { Work } from "../work.ts";
import { PickleInput } from "./input.ts";
import { PickleStack } from "./stack.ts";

/** An object under construction: `BUILD` comes after the object was made and perhaps memoized. */
class MutableObject extends PyObject {
  declare state: Value | undefined;
}

/** The state of reading one pickle, and what several opcodes have in common. */
export class PickleMachine {
  readonly input: PickleInput;
  readonly stack: PickleStack;
  readonly #work: Work;
  /** No `Map`: the indexes are the writer's choice, and those that a `Map` can't tell apart well take quadratic time. */
  readonly #memo: Value[] = [];
  #memoized = 0;

  constructor(bytes: Buffer, from: number, work: Work) {
    this.input = new PickleInput(bytes, from, work);
    this.stack = new PickleStack(this.input);
    this.#work = work;
  }

  put(index: number): void {
    this.stack.spend(PRICE_TUPLE);
    if (this.#memo[index] === undefined) this.#memoized++;
    this.#memo[index] = this.stack.top();
  }

  /** The next index that `MEMOIZE` writes. */
  memoize(): void {
    this.put(this.#memoized);
  }

  get(index: number): void {
    const value = this.#memo[index];
    if (value === undefined) throw this.input.error("a memo that was written", String(index));
    this.stack.push(value, PRICE_PLAIN);
  }

  append(items: readonly Value[]): void {
    const list = this.stack.top();
    // A subclass of list: what comes behind the instance are its items.
    if (list instanceof PyObject) return;
    if (!Array.isArray(list)) throw this.input.error("a list", "another value");
    this.#extend(list as Value[], items);
  }

  setItems(items: readonly Value[]): void {
    if (items.length % 2 !== 0) throw this.input.error("keys with values", "a key without");
    const map = this.stack.top();
    if (map instanceof PyObject) return;
    if (!(map instanceof Map)) throw this.input.error("a dictionary", "another value");
    this.stack.spend(items.length * PRICE_PLAIN * 2);
    const target = map as Map<Value, Value>;
    for (let i = 0; i < items.length; i += 2) setEntry(target, items[i] as Value, items[i + 1] as Value, this.#work);
  }

  /** More items of a set, which is kept as a call of `set` with a list. */
  addItems(items: readonly Value[]): void {
    const set = this.stack.top();
    const held = set instanceof PyObject && set.args instanceof PyTuple ? set.args.items[0] : undefined;
    if (!Array.isArray(held)) throw this.input.error("a set", "another value");
    this.#extend(held as Value[], items);
  }

  object(callable: Value, args: Value): void {
    this.stack.push(new MutableObject(callable, args), PRICE_TUPLE);
  }

  extension(code: number): void {
    this.stack.push(new PyGlobal("copyreg.extension", String(code)), PRICE_TUPLE);
  }

  build(): void {
    const state = this.stack.pop();
    const object = this.stack.top();
    if (object instanceof MutableObject) {
      object.state = state;
      return;
    }
    // A class or a container with a state of its own: keep both.
    this.stack.pop();
    this.stack.push(new PyObject(object, new PyTuple([]), state), PRICE_TUPLE);
  }

  #extend(list: Value[], items: readonly Value[]): void {
    this.stack.spend(items.length * PRICE_PLAIN);
    for (const item of items) list.push(item);
  }
}
