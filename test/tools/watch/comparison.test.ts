import { describe, expect, it } from "vitest";
import { Comparison, type Compared, type Side } from "../../../src/tools/watch/comparison.ts";
import type { Transaction } from "../../../src/tools/watch/transaction.ts";
import { asTid, type Tid } from "../../../src/wire/ids.ts";

const tid = (n: number): Tid => asTid(BigInt(n));
const transaction = (n: number, source: Transaction["source"] = "told"): Transaction => ({
  tid: tid(n),
  oids: [`o${n}`],
  source,
  named: [],
});

/** What came of it: each tid with the source on either side. */
function compared(): { comparison: Comparison; rows: unknown[]; add: (side: Side, ...tids: number[]) => void } {
  const rows: unknown[] = [];
  const comparison = new Comparison(({ tid: one, sides }: Compared) =>
    rows.push([Number(one), sides[0]?.source ?? null, sides[1]?.source ?? null]),
  );
  const add = (side: Side, ...tids: number[]): void => {
    for (const one of tids) comparison.add(side, transaction(one));
  };
  return { comparison, rows, add };
}

function begun(): ReturnType<typeof compared> {
  const all = compared();
  all.comparison.up(0, tid(10));
  all.comparison.up(1, tid(10));
  return all;
}

describe("a comparison", () => {
  it("shows a transaction when both sides have it, whichever is first", () => {
    const { rows, add } = begun();
    add(0, 11, 12);
    expect(rows).toEqual([]);
    add(1, 11, 12, 13);
    expect(rows).toEqual([
      [11, "told", "told"],
      [12, "told", "told"],
    ]);
    add(0, 13);
    expect(rows.at(-1)).toEqual([13, "told", "told"]);
  });

  it("begins behind what either side had when both were there", () => {
    const { comparison, rows, add } = compared();
    comparison.up(0, tid(10));
    add(0, 11, 12);
    comparison.up(1, tid(12));
    add(0, 13);
    add(1, 13);
    expect(rows).toEqual([[13, "told", "told"]]);
  });

  it("waits for no side that is away, and shows nothing again when that reads it", () => {
    const { comparison, rows, add } = begun();
    add(1, 11);
    comparison.down(0);
    add(1, 12);
    expect(rows).toEqual([
      [11, null, "told"],
      [12, null, "told"],
    ]);
    comparison.up(0, tid(13));
    add(0, 11, 12);
    comparison.add(0, transaction(13, "read"));
    expect(rows).toHaveLength(2);
    add(1, 13);
    expect(rows.at(-1)).toEqual([13, "read", "told"]);
  });

  it("shows what one side does not have, as soon as that has told of a later one", () => {
    const { rows, add } = begun();
    add(1, 11);
    add(0, 12);
    expect(rows).toEqual([[11, null, "told"]]);
    add(1, 12);
    expect(rows).toEqual([
      [11, null, "told"],
      [12, "told", "told"],
    ]);
  });

  it("goes on from an older transaction where a side is set back", () => {
    const { comparison, rows, add } = begun();
    add(0, 20);
    add(1, 20);
    comparison.setBack(tid(5));
    add(0, 6);
    add(1, 6);
    expect(rows).toEqual([
      [20, "told", "told"],
      [6, "told", "told"],
    ]);
  });

  it("keeps no more than so many", () => {
    const { rows, add } = begun();
    add(0, ...Array.from({ length: 10_005 }, (_, n) => n + 11));
    expect(rows).toHaveLength(5);
    expect(rows[0]).toEqual([11, "told", null]);
  });
});
