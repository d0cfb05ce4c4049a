import { describe, expect, it } from "vitest";
import type { ClientEvent } from "../peers/client.ts";
import type { TrueTransaction } from "../peers/server.ts";
import { judgeObserver } from "./observed.ts";

const tid = (n: number): string => `04000000000000${n.toString(16).padStart(2, "0")}`;
const oid = (n: number): string => n.toString(16).padStart(16, "0");

/** Transaction N touches object N, and object 100. */
const TRUTH: readonly TrueTransaction[] = [1, 2, 3, 4, 5, 6].map((n) => ({ tid: tid(n), oids: [oid(n), oid(100)] }));

/** It comes with an empty cache. */
const empty = (connection: number): ClientEvent => ["verify", connection, tid(0), 0];
const shown = (connection: number, n: number): ClientEvent => ["shown", connection, tid(n)];
const whole = (connection: number, n: number): ClientEvent => ["invalidation", connection, tid(n), [oid(n), oid(100)]];

function problems(...events: readonly ClientEvent[]): readonly string[] {
  return judgeObserver(events, TRUTH, true).problems;
}

describe("judging an observer", () => {
  it("finds nothing where it was told of all after its first tid", () => {
    const facts = judgeObserver([empty(1), shown(1, 3), whole(1, 4), whole(1, 5), whole(1, 6)], TRUTH, true);
    expect(facts).toEqual({ due: 3, told: 3, verified: 1, dropped: 0, problems: [] });
  });

  it("asks nothing of what came after it had left for good", () => {
    const facts = judgeObserver([empty(1), shown(1, 3), whole(1, 4), whole(1, 5)], TRUTH, false);
    expect(facts).toEqual({ due: 2, told: 2, verified: 1, dropped: 0, problems: [] });
  });

  it("finds a transaction that was never announced", () => {
    expect(problems(empty(1), shown(1, 3), whole(1, 4), whole(1, 5))).toEqual([
      expect.stringContaining(`never told of ${tid(6)}: 2 of 2 oids`),
    ]);
  });

  it("finds an oid that was left out", () => {
    const found = problems(empty(1), shown(1, 4), whole(1, 5), ["invalidation", 1, tid(6), [oid(6)]]);
    expect(found).toEqual([expect.stringContaining(`never told of ${tid(6)}: 1 of 2 oids: ${oid(100)}`)]);
  });

  it("takes what verifying named for what was committed between two connections", () => {
    const back: ClientEvent = ["resumed", 2, tid(5), [oid(4), oid(5), oid(100)]];
    expect(problems(empty(1), shown(1, 2), whole(1, 3), shown(2, 5), back, whole(2, 6))).toEqual([]);
  });

  it("finds an oid that verifying left out", () => {
    const back: ClientEvent = ["resumed", 2, tid(5), [oid(5), oid(100)]];
    expect(problems(empty(1), shown(1, 2), whole(1, 3), shown(2, 5), back, whole(2, 6))).toEqual([
      expect.stringContaining(`never told of ${tid(4)}: 1 of 2 oids: ${oid(4)}`),
    ]);
  });

  it("asks for what came between from the next connection, where one ended before it had verified", () => {
    const back: ClientEvent = ["resumed", 3, tid(6), [oid(4), oid(5), oid(6), oid(100)]];
    expect(problems(empty(1), shown(1, 2), whole(1, 3), shown(2, 5), shown(3, 6), back)).toEqual([]);
    expect(problems(empty(1), shown(1, 2), whole(1, 3), shown(2, 6))).toEqual([
      expect.stringContaining("it never verified its cache on its last connection"),
    ]);
  });

  it("excuses what came before a cache that was dropped, and nothing after it", () => {
    expect(problems(empty(1), shown(1, 1), shown(2, 5), ["stale cache"], whole(2, 6))).toEqual([]);
    expect(problems(empty(1), shown(1, 1), shown(2, 5), ["stale cache"])).toEqual([expect.stringContaining(tid(6))]);
  });

  it("takes a cache for empty behind one that was dropped, where nothing was verified", () => {
    expect(problems(empty(1), shown(1, 1), shown(2, 3), ["stale cache"], empty(3), shown(3, 5), whole(3, 6))).toEqual(
      [],
    );
    expect(problems(empty(1), shown(1, 1), shown(2, 3), ["stale cache"], empty(3), shown(3, 5))).toEqual([
      expect.stringContaining(tid(6)),
    ]);
  });

  it("takes a cache for empty where nothing was loaded on an earlier connection", () => {
    const back: ClientEvent = ["resumed", 3, tid(6), [oid(5), oid(6), oid(100)]];
    const cut = [empty(1), shown(1, 1)];
    expect(problems(...cut, empty(2), shown(2, 4), shown(3, 6), back)).toEqual([]);
    expect(problems(...cut, ["verify", 2, tid(1), 1], shown(2, 4), shown(3, 6), back)).not.toEqual([]);
  });

  it("finds what is out of order", () => {
    expect(problems(empty(1), shown(1, 3), whole(1, 5), whole(1, 4), whole(1, 6))).not.toEqual([]);
  });
});
