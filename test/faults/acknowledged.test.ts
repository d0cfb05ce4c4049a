import { describe, expect, it } from "vitest";
import { emptyTids, judgeWriter } from "./acknowledged.ts";
import { History } from "./history.ts";
import type { ActorEvent } from "./record.ts";

const HISTORY = new History([
  { tid: "t1", mark: "w-1", records: [["a", 1]] },
  { tid: "t2", mark: "w-2", records: [["b", 2]] },
  { tid: "t3", mark: "w-3", records: [["a", null]] },
]);

const commit = (mark: string, tid: string, oids: readonly string[] | null, kind = "created"): ActorEvent[] => [
  ["attempt", mark, kind],
  ["finishing", mark],
  ["committed", mark, tid, oids],
];

function lost(...events: readonly ActorEvent[]): string[] {
  return judgeWriter("w", events, HISTORY).findings.map(({ kind, detail }) => `${kind}: ${detail}`);
}

describe("judging a writer", () => {
  it("finds nothing where all that was acknowledged is there", () => {
    expect(lost(...commit("w-1", "t1", ["a"]), ...commit("w-3", "t3", null, "undone"))).toEqual([]);
  });

  it("finds what was acknowledged and is not there", () => {
    expect(lost(...commit("w-9", "t9", ["a"]))).toEqual(["acknowledged and lost: w-9: t9 is not in the file"]);
  });

  it("finds a tid that is another's", () => {
    expect(lost(...commit("w-9", "t2", ["b"]))).toEqual(["acknowledged and lost: w-9: t2 is w-2 in the file"]);
  });

  it("finds an object that is not in its transaction", () => {
    expect(lost(...commit("w-1", "t1", ["a", "c"]))).toEqual(["acknowledged and lost: w-1: t1 lacks c"]);
  });

  it("asks nothing of a transaction of nothing", () => {
    expect(lost(...commit("w-9", "t2", [], "nothing"))).toEqual([]);
    expect(emptyTids([commit("w-9", "t2", [], "nothing"), commit("w-1", "t1", ["a"])])).toEqual(new Set(["t2"]));
  });

  it("counts those that were never answered, and which of them are there", () => {
    const events: ActorEvent[] = [
      ...commit("w-1", "t1", ["a"]),
      ["attempt", "w-2", "created"],
      ["finishing", "w-2"],
      ["attempt", "w-4", "created"],
      ["finishing", "w-4"],
      ["attempt", "w-5", "created"],
    ];
    expect(judgeWriter("w", events, HISTORY).written).toEqual({
      attempts: 4,
      acknowledged: 1,
      uncertain: 2,
      uncertainAndThere: 1,
    });
  });
});
