import { OID_BYTES } from "../wire/z5.ts";
import type { Oids } from "./transaction.ts";

export interface Committed {
  readonly tid: number;
  /** Packed as they are pickled. */
  readonly oids: Buffer;
}

/** Behind that the oldest are forgotten: in a benchmark nobody asks for more. */
const MAX_BYTES = 32 * 0x10_0000;

/** What was committed, with all oids: for those who iterate over it. Tids are numbers without a gap. */
export class History {
  #all: Committed[] = [];
  /** So many at the beginning are forgotten. */
  #gone = 0;
  #bytes = 0;

  add(tid: number, { bytes, count }: Oids): void {
    const oids = Buffer.from(bytes.subarray(0, count * OID_BYTES));
    this.#all.push({ tid, oids });
    this.#bytes += oids.length;
    while (this.#bytes > MAX_BYTES) this.#bytes -= this.#all[this.#gone++]?.oids.length ?? 0;
    if (this.#gone < this.#all.length / 2) return;
    this.#all = this.#all.slice(this.#gone);
    this.#gone = 0;
  }

  /** The first one from this tid on. */
  from(tid: number): Committed | undefined {
    const first = this.#all[this.#gone];
    return first === undefined ? undefined : this.#all[this.#gone + Math.max(0, tid - first.tid)];
  }
}
