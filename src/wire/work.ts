import { ProtocolError, type ProtocolErrorCode } from "./errors.ts";

/**
 * What reading one message has cost, in steps: one for each opcode or token, one for each value that is made, and one for
 * every `BYTES_A_STEP` bytes that are turned into something else (numbers, text). What is only passed over costs nothing.
 */
export class Work {
  readonly #code: ProtocolErrorCode;
  readonly #limit: number;
  #steps = 0;

  constructor(code: ProtocolErrorCode, limit: number) {
    this.#code = code;
    this.#limit = limit;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Raises a `ProtocolError` when the limit is reached, before what would go beyond it is done. */
  spend(steps: number, at: number): void {
    if (this.#steps + steps > this.#limit) {
      throw new ProtocolError(this.#code, at, `a message that is read in ${this.#limit} steps`, "more");
    }
    this.#steps += steps;
  }
}

export const BYTES_A_STEP = 16;

/** The steps for so many bytes of one value that is converted. */
export function stepsFor(bytes: number): number {
  return 1 + Math.floor(bytes / BYTES_A_STEP);
}

/** What is read of a reply whose tids are looked for: its value as objects, and then a search through all of it. */
export interface ShownWork {
  readonly value: Work;
  readonly search: Work;
}
