import { describe, expect, test } from "vitest";
import type { ClientEvent } from "./client.ts";
import { judge } from "./judge.ts";
import type { Truth } from "./judge.ts";

const T = (n: number): string => `040d3c00000000${n.toString(16).padStart(2, "0")}`;
const truth: Truth = {
  transactions: [
    { tid: T(1), oids: ["a"] },
    { tid: T(2), oids: ["a", "b"] },
    { tid: T(3), oids: ["c"] },
  ],
  empty: new Set(),
};

function told(n: number, ...oids: string[]): ClientEvent[] {
  return [
    ["invalidation", 1, T(n), oids],
    ["told", T(n), oids],
  ];
}

function problems(events: readonly ClientEvent[], toTheEnd = true): string {
  return judge([["shown", 1, T(1)], ...events], truth, { toTheEnd }).problems.join("; ");
}

describe("judge", () => {
  test("accepts a client that is told of everything in order", () => {
    expect(problems([...told(2, "a", "b"), ["shown", 1, T(2)], ...told(3, "c"), ["shown", 1, T(3)]])).toBe("");
  });

  test("counts what was told", () => {
    const verdict = judge([["shown", 1, T(1)], ...told(2, "a")], truth, { toTheEnd: true });
    expect([...verdict.told]).toEqual([
      [T(2), { oids: 1, of: 2, wasTold: true }],
      [T(3), { oids: 0, of: 1, wasTold: false }],
    ]);
  });

  test("misses a transaction", () => {
    expect(problems([...told(2, "a", "b")])).toContain(`never told of ${T(3)}`);
  });

  test("misses an oid", () => {
    expect(problems([...told(2, "a"), ...told(3, "c")])).toContain(`told of ${T(2)} without 1 of 2 oids`);
  });

  test("sees a repetition", () => {
    expect(problems([...told(2, "a", "b"), ...told(2, "a", "b"), ...told(3, "c")])).toContain("told twice");
  });

  test("sees a wrong order", () => {
    expect(problems([...told(3, "c"), ...told(2, "a", "b")])).toContain(`${T(2)} announced after ${T(3)}`);
  });

  test("sees a tid that is shown before its invalidation", () => {
    expect(problems([["shown", 1, T(2)], ...told(2, "a", "b"), ...told(3, "c")])).toContain(
      `${T(2)} was shown before the complete invalidation of ${T(2)}`,
    );
  });

  test("sees a tid that is shown after an incomplete invalidation", () => {
    expect(problems([...told(2, "b"), ["shown", 1, T(2)]], false)).toContain(`${T(2)} was shown before`);
  });

  test("sees a later tid that is announced before an earlier one", () => {
    expect(problems([...told(3, "c")], false)).toContain(
      `${T(3)} was announced before the complete invalidation of ${T(2)}`,
    );
  });

  test("sees the client's own commit announced", () => {
    expect(problems([...told(2, "a", "b"), ["own", T(3)], ...told(3, "c")])).toContain("its own");
  });

  test("does not wait for the client's own commit", () => {
    expect(problems([...told(2, "a", "b"), ["shown", 1, T(3)], ["own", T(3)]])).toBe("");
  });

  test("sees a None reply", () => {
    expect(problems([["stale cache"], ...told(2, "a", "b"), ...told(3, "c")])).toContain("answered None");
  });

  test("sees a tid that nobody committed", () => {
    expect(problems([...told(2, "a", "b"), ...told(3, "c"), ...told(4)])).toContain("nobody committed");
    expect(
      judge(
        [["shown", 1, T(1)], ...told(4)],
        { ...truth, empty: new Set([T(4)]) },
        { toTheEnd: false },
      ).problems.join(),
    ).not.toContain("nobody committed");
  });
});
