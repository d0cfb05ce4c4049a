/** First in, first out, quick for long ones too. */
export class Queue<T> {
  #items: T[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  peek(at = 0): T | undefined {
    return this.#items[this.#first + at];
  }

  shift(): T | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#first++;
    if (this.#first === this.#items.length) this.clear();
    else if (this.#first > 64 && this.#first * 2 > this.#items.length) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** Puts it back where it was. */
  unshift(item: T): void {
    if (this.#first > 0) this.#items[--this.#first] = item;
    else this.#items.unshift(item);
  }

  /** Takes out the one that is `at` places behind the first. */
  remove(at: number): void {
    this.#items.splice(this.#first + at, 1);
    if (this.#first === this.#items.length) this.clear();
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
  }
}
