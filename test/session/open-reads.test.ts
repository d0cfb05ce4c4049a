import { describe, expect, it } from "vitest";
import { OpenReads } from "../../src/session/open-reads.ts";
import { asTid, type Tid } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";

const tid = (number: number): Tid => asTid(BigInt(number));
const frame = Buffer.from("a call");

/** So many are open, of objects 1 to that. */
function reading(many: number): OpenReads {
  const reads = new OpenReads();
  for (let n = 1; n <= many; n++) reads.add(n, packed([n]), frame);
  return reads;
}

describe.each([3, 40])("of %i open reads", (many) => {
  it("those whose object is told of know it, in order", () => {
    const reads = reading(many);
    reads.told(tid(7), packed([2, 99]));
    reads.told(tid(9), packed([99, 3, 2]));
    expect([1, 2, 3].map((id) => reads.isOld(id))).toEqual([false, true, true]);
    expect([1, 2, 3].map((id) => reads.take(id)?.told)).toEqual([[], [7n, 9n], [9n]]);
    expect(reads.take(2)).toBeUndefined();
    expect(reads.isOld(2)).toBe(false);
  });

  it("none is told of an oid that lies across two others", () => {
    const reads = new OpenReads();
    for (let n = 0; n < many; n++) reads.add(n, Buffer.from("0000000100000000", "hex"), frame);
    reads.told(tid(7), packed([0x1, 0x0]));
    expect(reads.isOld(0)).toBe(false);
  });

  it("all are weighed with their frames and with what they were told, until they are taken", () => {
    const reads = reading(many);
    const { bytes } = reads;
    expect(bytes).toBeGreaterThan(many * frame.length);
    for (let n = 1; n <= 1_000; n++) reads.told(tid(n), packed([2, 3]));
    expect(reads.bytes).toBeGreaterThanOrEqual(bytes + 2_000 * 8);
    // The same id once more: the one before it has no answer any more.
    reads.add(2, packed([2]), frame);
    reads.take(3);
    expect(reads.bytes).toBe((bytes / many) * (many - 1));
    reads.told(tid(1_001), packed([1]));
    reads.clear();
    expect([reads.bytes, reads.size]).toEqual([0, 0]);
  });
});
