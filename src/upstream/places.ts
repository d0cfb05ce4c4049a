import type { Address } from "../config/address.ts";

/** Where an upstream's server can be, in the order in which that is tried. It is taken to be at one of them. */
export class Places {
  readonly #all: readonly Address[];
  #present: Address;

  constructor(first: Address, others: readonly Address[] = []) {
    this.#all = [first, ...others];
    this.#present = first;
  }

  get present(): Address {
    return this.#present;
  }

  /** All but the present one, in order. */
  get others(): readonly Address[] {
    return this.#all.filter((one) => one !== this.#present);
  }

  /** One of the others is the present one from now on. */
  moveTo(other: Address): void {
    this.#present = other;
  }
}
