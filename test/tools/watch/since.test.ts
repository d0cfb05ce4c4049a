import { describe, expect, it, test } from "vitest";
import { parseFilter, passes } from "../../../src/tools/watch/filter.ts";
import { parseSince } from "../../../src/tools/watch/since.ts";
import type { Transaction } from "../../../src/tools/watch/transaction.ts";
import { asTid, tidAt, tidHex, tidTimeMs, type Tid } from "../../../src/wire/ids.ts";

const NOW = Date.UTC(2026, 10, 28, 12);

describe("where to begin", () => {
  it.each([
    ["start", "0000000000000000"],
    ["040d3c97e78e677e", "040d3c97e78e677e"],
    ["0x040D3C97E78E677E", "040d3c97e78e677e"],
  ])("%s", (text, tid) => {
    expect(tidHex(parseSince(text, NOW) as Tid)).toBe(tid);
  });

  it.each([
    ["2h", NOW - 2 * 3_600_000],
    ["1h30m", NOW - 5_400_000],
    ["2026-11-28", Date.UTC(2026, 10, 28)],
    ["2026-11-28T10:00", Date.UTC(2026, 10, 28, 10)],
    ["2026-11-28 10:00:30", Date.UTC(2026, 10, 28, 10, 0, 30)],
    ["2026-11-28T10:00Z", Date.UTC(2026, 10, 28, 10)],
    ["2026-11-28T10:00:00.5+02:00", Date.UTC(2026, 10, 28, 8) + 500],
  ])("%s is a moment: a transaction of that very moment is not left out", (text, ms) => {
    const tid = parseSince(text, NOW) as Tid;
    expect(tid).toBe(asTid(tidAt(ms) - 1n));
    expect(Math.abs(tidTimeMs(tid) - ms)).toBeLessThan(1);
  });

  it.each(["", "yesterday", "5", "2026-13-45", "2026-11-28T25:00", "040d3c97e78e677", "-2h", "1800-01-01"])(
    "%j is none",
    (text) => {
      expect(parseSince(text, NOW)).toBeUndefined();
    },
  );
});

const seen = (source: Transaction["source"], oids: string[], named?: string[]): Transaction => ({
  tid: asTid(1n),
  oids,
  source,
  named,
});
const A = "0000000000000001";
const B = "000000000000abcd";

test.each([
  [[], "read", true, seen("read", [])],
  [["told"], "told", true, seen("told", [A], [A])],
  [["asked"], "told", false, seen("told", [A], [A])],
  [["asked", "told"], "told", true, seen("told", [A], [A])],
  [["1"], "told", true, seen("told", [A], [A])],
  [["0xABCD"], "told", true, seen("told", [A, B], [A])],
  [["abcd"], "told", false, seen("told", [A], [A])],
  [["1", "asked"], "told", false, seen("told", [A], [A])],
  [["incomplete"], "told", true, seen("told", [A, B], [A])],
  [["incomplete"], "told", false, seen("told", [A, B], [B, A])],
  [["incomplete"], "asked", true, seen("asked", [A], [])],
  [["incomplete"], "asked", false, seen("asked", [], [])],
  [["incomplete"], "read", false, seen("read", [A])],
  [["incomplete", "1"], "told", false, seen("told", [B], [])],
] as const)("the filter %j of what was %s: %s", (texts, _source, wanted, transaction) => {
  const filter = parseFilter(texts);
  expect(filter && passes(filter, transaction)).toBe(wanted);
});

it.each([["client"], ["00000000000000001"], ["0x"], [""]])("%j is no filter", (text) => {
  expect(parseFilter([text])).toBeUndefined();
});
