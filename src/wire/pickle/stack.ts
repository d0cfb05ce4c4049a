import { MAX_DECODED, PRICE_PLAIN } from "../bounds.ts";
import type { Value } from "../value.ts";
import type { PickleInput } from "./input.ts";

/** What a pickle machine works on: values, the marks between them, and the price of what was made so far. */
export class PickleStack {
  readonly #input: PickleInput;
  readonly #values: Value[] = [];
  readonly #marks: number[] = [];
  #spent = 0;

  constructor(input: PickleInput) {
    this.#input = input;
  }

  mark(): void {
    this.spend(PRICE_PLAIN);
    this.#marks.push(this.#values.length);
  }

  push(value: Value, price: number): void {
    this.spend(price);
    this.#values.push(value);
  }

  spend(price: number): void {
    this.#spent += price;
    if (this.#spent > MAX_DECODED) throw this.#input.error(`a value of at most ${MAX_DECODED} bytes in memory`, "more");
  }

  top(): Value {
    if (this.#room() < 1) throw this.#input.error("a value", "none");
    return this.#values.at(-1) as Value;
  }

  pop(): Value {
    this.top();
    return this.#values.pop() as Value;
  }

  popMany(count: number): Value[] {
    if (this.#room() < count) throw this.#input.error(`${count} values`, "fewer");
    return this.#values.splice(this.#values.length - count, count);
  }

  popMark(): Value[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#input.error("a mark", "none");
    return this.#values.splice(mark);
  }

  /** The last value; or the last mark, if none is above it: Python 2 writes that for a tuple that holds itself. */
  popValueOrMark(): void {
    if (this.#marks.length > 0 && this.#room() === 0) this.#marks.pop();
    else this.pop();
  }

  /** How many values are above the last mark. */
  #room(): number {
    return this.#values.length - (this.#marks.at(-1) ?? 0);
  }
}
