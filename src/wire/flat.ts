/** Kinds of a flat item. */
export const ITEM_NONE = 0;
export const ITEM_BYTES = 1;
/** Any other atom: a number, text. */
export const ITEM_OTHER = 2;

/** More items than any reply has whose tids are looked for. */
const CAPACITY = 8;

/**
 * The first atoms of a value that is one atom or a tuple that begins with atoms: where they are, nothing copied. One
 * object is used again and again: claimed by `open`, released by `close`.
 */
export class FlatItems {
  count = 0;
  /** False when something that is no atom, or an item too many, ended the search. */
  complete = false;
  /** The value is a tuple; a list counts in msgpack. Only known when complete. */
  tuple = false;
  readonly #kinds = new Uint8Array(CAPACITY);
  readonly #starts = new Float64Array(CAPACITY);
  readonly #lengths = new Float64Array(CAPACITY);
  #isOpen = false;

  open(): this {
    if (this.#isOpen) throw new Error("these items are in use");
    this.#isOpen = true;
    this.count = 0;
    this.complete = false;
    this.tuple = false;
    return this;
  }

  close(): void {
    this.#isOpen = false;
  }

  /** False when there is no room. */
  add(kind: number, start: number, length: number): boolean {
    if (this.count === CAPACITY) return false;
    this.#kinds[this.count] = kind;
    this.#starts[this.count] = start;
    this.#lengths[this.count] = length;
    this.count++;
    return true;
  }

  kind(index: number): number {
    return index < this.count ? (this.#kinds[index] as number) : ITEM_OTHER;
  }

  start(index: number): number {
    return this.#starts[index] as number;
  }

  /** Item `index` is a byte string of `length` bytes. */
  isBytes(index: number, length: number): boolean {
    return index < this.count && this.#kinds[index] === ITEM_BYTES && this.#lengths[index] === length;
  }
}
