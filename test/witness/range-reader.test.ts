import { describe, expect, it } from "vitest";
import type { Range, RangeRead } from "../../src/storage/witness.ts";
import { asTid, NO_TID, type Tid } from "../../src/wire/ids.ts";
import type { ReplyHead } from "../../src/wire/pickle/reply-head.ts";
import { type RangeBounds, type RangeCall, type RangePace, RangeReader } from "../../src/witness/range-reader.ts";
import { Iterators, raised, type Stocked } from "./iterators.ts";
import { hexes } from "./noted.ts";

const PACES = ["single", "together"] as const;
const BOUNDS: RangeBounds = { transactions: 1000, oidBytes: 1 << 20 };

const tid = (n: number): Tid => asTid(BigInt(n));

/** Transactions 10, 20, ... with so many records each; the oids count on. */
function stocked(...counts: readonly number[]): Stocked[] {
  let oid = 0n;
  return counts.map((count, n) => [tid((n + 1) * 10), ...Array.from({ length: count }, () => ++oid)]);
}

interface Run {
  readonly iterators: Iterators;
  readonly reader: RangeReader;
  /** The largest number of calls that were on their way. */
  most: number;
  /** How many replies were given, and how many of the writes were answered. */
  replies: number;
  rounds: number;
}

/** Answers what the reader calls, write by write, until it is over or `until`. */
function run(
  iterators: Iterators,
  range: Range,
  pace: RangePace,
  options: {
    isSkipped?: (tid: Tid) => boolean;
    bounds?: RangeBounds;
    until?: (run: Run) => boolean;
    answered?: (reader: RangeReader) => void;
  } = {},
): Run {
  const reader = new RangeReader(range, options.isSkipped ?? (() => false), options.bounds ?? BOUNDS, pace);
  const result: Run = { iterators, reader, most: 0, replies: 0, rounds: 0 };
  let waiting = [...reader.begin()];
  while (waiting.length > 0) {
    if (options.until?.(result) === true) return result;
    result.rounds++;
    result.most = Math.max(result.most, waiting.length);
    // The server has done all of it before the first reply is read.
    const replies = waiting.map((call) => [call, iterators.call(...messageOf(call))] as const);
    waiting = [];
    for (const [call, reply] of replies) {
      result.replies++;
      waiting.push(...reader.answered(call, reply));
      options.answered?.(reader);
    }
  }
  return result;
}

function messageOf(call: RangeCall): [string, (number | bigint)[]] {
  switch (call.kind) {
    case "last":
      return ["lastTransaction", []];
    case "start":
      return ["iterator_start", [call.start, call.stop]];
    case "next":
      return ["iterator_next", [call.iid]];
    case "record-start":
      return ["iterator_record_start", [call.iid, call.opened.tid]];
    default:
      return ["iterator_record_next", [call.opened.iid]];
  }
}

function found(read: RangeRead | undefined): unknown {
  if (read?.kind !== "read") return read;
  return read.found.map((one) => [one.tid, ...hexes(one.oids).map((hex) => BigInt(`0x${hex}`))]);
}

const ALL: Range = { above: NO_TID, upTo: asTid(1n << 62n) };
const upTo = (n: number, above = 0): Range => ({ above: tid(above), upTo: tid(n) });

describe.each(PACES)("a range that is read %s", (pace) => {
  it.each([[[]], [[1]], [[0]], [[1, 1]], [[3, 0, 1, 2]], [Array.from({ length: 50 }, (_, n) => n % 4)]])(
    "has all transactions with all records, without a call too many: %j",
    (counts) => {
      const stock = stocked(...counts);
      const iterators = new Iterators(stock, 5);
      iterators.closes = true;
      const { reader } = run(iterators, upTo(counts.length * 10), pace);
      expect(found(reader.over)).toEqual(stock);
      expect([iterators.raised, iterators.open.size, iterators.last.size, reader.left]).toEqual([0, 0, 0, []]);
      expect(reader.leavesFile).toBe(false);
    },
  );

  it("begins above its lower bound, and ends with its upper one", () => {
    const stock = stocked(1, 1, 1, 1);
    expect(found(run(new Iterators(stock), upTo(30, 10), pace).reader.over)).toEqual(stock.slice(1, 3));
    expect(found(run(new Iterators(stock), upTo(35, 11), pace).reader.over)).toEqual(stock.slice(1, 3));
  });

  it("calls nothing where there is nothing to read", () => {
    const { reader, iterators } = run(new Iterators(stocked(1)), upTo(10, 10), pace);
    expect([reader.over, iterators.called]).toEqual([{ kind: "read", found: [] }, []]);
  });

  it.each([
    ["all", () => true],
    ["the first", (one: Tid) => one === tid(10)],
    ["the last", (one: Tid) => one === tid(200)],
    ["every other", (one: Tid) => one % 20n === 0n],
  ] as const)("has nothing of what is skipped: %s", (_name, isSkipped) => {
    const stock = stocked(...Array.from({ length: 20 }, () => 2));
    const iterators = new Iterators(stock);
    iterators.closes = true;
    const { reader } = run(iterators, upTo(200), pace, { isSkipped });
    const rest = stock.filter(([one]) => !isSkipped(one));
    expect(found(reader.over)).toEqual(rest);
    expect(iterators.called.filter((call) => call.startsWith("iterator_record_start"))).toHaveLength(rest.length);
    expect(iterators.raised).toBe(0);
  });

  it("asks for one thing more than there is of each iterator, and for no more", () => {
    const iterators = new Iterators(stocked(2, 0, 1));
    run(iterators, upTo(30), pace);
    const counted = (method: string): number => iterators.called.filter((call) => call.startsWith(method)).length;
    expect(counted("lastTransaction")).toBe(1);
    expect(counted("iterator_start")).toBe(1);
    expect(counted("iterator_next")).toBe(4);
    expect(counted("iterator_record_start")).toBe(3);
    expect(counted("iterator_record_next")).toBe(3 + 1 + 2);
  });

  it("is not read before the server has committed all of it", () => {
    const { reader, iterators } = run(new Iterators(stocked(1)), upTo(20), pace);
    expect(reader.over).toEqual({ kind: "failed", reason: "not committed yet" });
    expect(iterators.called).toEqual(["lastTransaction"]);
  });

  it("is too much with a transaction more than it may have, those that are skipped counted", () => {
    const bounds = { ...BOUNDS, transactions: 3 };
    const isSkipped = (one: Tid): boolean => one < 30n;
    expect(run(new Iterators(stocked(1, 1, 1)), upTo(30), pace, { bounds, isSkipped }).reader.over?.kind).toBe("read");
    const { reader, iterators } = run(new Iterators(stocked(1, 1, 1, 1)), upTo(40), pace, { bounds, isSkipped });
    expect(reader.over).toEqual({ kind: "too-much" });
    iterators.gc(reader.left);
    expect([iterators.open.size, reader.leavesFile]).toEqual([0, true]);
  });

  it("is too much with more oids than it may have", () => {
    const bounds = { ...BOUNDS, oidBytes: 40 };
    expect(run(new Iterators(stocked(2, 3)), upTo(20), pace, { bounds }).reader.over?.kind).toBe("read");
    const { reader, iterators } = run(new Iterators(stocked(2, 4, 1)), upTo(30), pace, { bounds });
    expect(reader.over).toEqual({ kind: "too-much" });
    iterators.gc(reader.left);
    expect(iterators.open.size).toBe(0);
  });

  it("can be given up at each moment, and leaves no iterator behind", () => {
    const stock = stocked(2, 0, 1, 3);
    for (let rounds = 0; rounds < 100; rounds++) {
      const { reader, iterators } = run(new Iterators(stock), upTo(40), pace, {
        until: (one) => one.rounds === rounds,
      });
      const isOver = reader.over !== undefined;
      reader.giveUp();
      expect(reader.over?.kind).toBe(isOver ? "read" : "too-much");
      iterators.gc(reader.left);
      expect([iterators.open.size, iterators.raised]).toEqual([0, 0]);
      if (isOver) return;
    }
    expect.unreachable();
  });

  it("takes no notice of replies that come when it is over", () => {
    const iterators = new Iterators(stocked(1, 1));
    const reader = new RangeReader(upTo(20), () => false, BOUNDS, pace);
    const [last] = reader.begin() as [RangeCall];
    const [start] = reader.answered(last, iterators.call("lastTransaction", [])) as [RangeCall];
    reader.giveUp();
    expect(reader.answered(start, { kind: "integer", value: 0 })).toEqual([]);
    expect(reader.over).toEqual({ kind: "too-much" });
  });

  it.each([1, 2])("tries again %s times where an iterator can't be had", (times) => {
    const stock = stocked(1, 2);
    const iterators = new Iterators(stock);
    iterators.fault = (method, count) =>
      method === "iterator_start" && count <= times ? raised("ValueError") : undefined;
    expect(found(run(iterators, upTo(20), pace).reader.over)).toEqual(stock);
    expect(iterators.called.slice(0, 4)).toEqual([
      "lastTransaction",
      "iterator_start",
      "lastTransaction",
      "iterator_start",
    ]);
  });

  it("has failed where an iterator can't be had at all", () => {
    const iterators = new Iterators(stocked(1));
    iterators.fault = (method) => (method === "iterator_start" ? raised("ValueError") : undefined);
    const { reader } = run(iterators, upTo(10), pace);
    expect(reader.over).toEqual({ kind: "failed", reason: "builtins.ValueError" });
    expect([iterators.raised, reader.left]).toEqual([3, []]);
  });

  it.each([1, 2, 3])("has failed where the head %i is an exception", (nth) => {
    const iterators = new Iterators(stocked(1, 1));
    iterators.fault = (method, count) =>
      method === "iterator_next" && count === nth ? raised("ImportError") : undefined;
    const { reader } = run(iterators, upTo(20), pace);
    expect(reader.over).toEqual({ kind: "failed", reason: "builtins.ImportError" });
    iterators.gc(reader.left);
    expect(iterators.open.size).toBe(0);
  });

  it.each([
    ["iterator_record_start", 1],
    ["iterator_record_start", 2],
    ["iterator_record_next", 1],
    ["iterator_record_next", 3],
  ])("has failed where %s is an exception each time from the call %i on", (method, nth) => {
    const iterators = new Iterators(stocked(1, 1, 1));
    iterators.fault = (one, count) => (one === method && count >= nth ? raised("KeyError") : undefined);
    const { reader } = run(iterators, upTo(30), pace);
    expect(reader.over).toEqual({ kind: "failed", reason: "builtins.KeyError" });
    iterators.gc(reader.left);
    expect(iterators.open.size).toBe(0);
  });

  it("hands out what has been read as soon as all before it is read, each once and in order", () => {
    const stock = stocked(2, 0, 1, 30, 1, 1, 0, 2);
    const taken: unknown[] = [];
    let inOneGo = 0;
    const { reader } = run(new Iterators(stock), upTo(80), pace, {
      answered: (one) => {
        const some = one.take();
        inOneGo = Math.max(inOneGo, some.length);
        taken.push(...(found({ kind: "read", found: some }) as unknown[]));
      },
    });
    expect(taken).toEqual(stock);
    expect(reader.over).toEqual({ kind: "read", found: [] });
    expect(inOneGo).toBeLessThan(stock.length);
  });

  it("may be longer than its bound for oids, where what has been read is taken", () => {
    const bounds = { transactions: Infinity, oidBytes: 200 };
    const stock = stocked(...Array.from({ length: 100 }, () => 2));
    const taken: unknown[] = [];
    const take = (one: RangeReader): void => {
      taken.push(...(found({ kind: "read", found: one.take() }) as unknown[]));
    };
    expect(run(new Iterators(stock), upTo(1000), pace, { bounds, answered: take }).reader.over?.kind).toBe("read");
    expect(taken).toEqual(stock);
    expect(run(new Iterators(stock), upTo(1000), pace, { bounds }).reader.over?.kind).toBe("too-much");
  });

  it.each([
    ["lastTransaction", { kind: "integer", value: 5 }, "no tid"],
    ["iterator_start", { kind: "none" }, "no iterator"],
    ["iterator_next", { kind: "id", id: Buffer.alloc(8) }, "no transaction"],
    ["iterator_next", { kind: "items", id: Buffer.alloc(8) }, "a transaction out of order"],
    ["iterator_next", { kind: "items", id: Buffer.alloc(8, 0xff) }, "a transaction out of order"],
    ["iterator_record_start", { kind: "other" }, "no iterator"],
    ["iterator_record_next", { kind: "integer", value: 5 }, "no record"],
  ] as const)("has failed where %s is answered %j", (method, reply: ReplyHead, reason) => {
    const iterators = new Iterators(stocked(1));
    iterators.fault = (one) => (one === method ? reply : undefined);
    expect(run(iterators, upTo(10), pace).reader.over).toEqual({ kind: "failed", reason });
  });
});

describe("one call at a time", () => {
  it("is never more than one", () => {
    expect(run(new Iterators(stocked(3, 0, 1, 2)), upTo(40), "single").most).toBe(1);
  });

  it("goes by the ids that it is told", () => {
    const stock = stocked(2, 1);
    const iterators = new Iterators(stock);
    // As if somebody else had taken one.
    const call = iterators.call.bind(iterators);
    iterators.call = (method, args) => {
      if (method === "iterator_record_start") call("iterator_start", [0n, 0n]);
      return call(method, args);
    };
    expect(found(run(iterators, upTo(20), "single").reader.over)).toEqual(stock);
  });
});

describe("together", () => {
  it("a transaction is one round trip, and of at most 16 records are read", () => {
    const small = run(new Iterators(stocked(...Array.from({ length: 100 }, () => 1))), upTo(1000), "together");
    expect(small.rounds).toBeLessThan(110);
    const large = stocked(...Array.from({ length: 40 }, () => 100));
    const { most, iterators, reader } = run(new Iterators(large), upTo(400), "together");
    expect(found(reader.over)).toEqual(large);
    expect(most).toBeGreaterThan(12);
    expect(most).toBeLessThan(20);
    expect(iterators.raised).toBe(0);
  });

  it("becomes one at a time, from the beginning, where the range does not end with a transaction", () => {
    const stock = stocked(5, 5, 5);
    const iterators = new Iterators([...stock, [tid(100), 1n]]);
    iterators.closes = true;
    const { reader } = run(iterators, upTo(99), "together");
    expect(found(reader.over)).toEqual(stock);
    expect(reader.pace).toBe("single");
    iterators.gc(reader.left);
    expect(iterators.open.size).toBe(0);
  });

  it.each(["iterator_record_start", "iterator_record_next"])(
    "becomes one at a time where a storage does not bear more: %s",
    (method) => {
      const stock = stocked(2, 2, 2, 2);
      const iterators = new Iterators(stock);
      iterators.fault = (one, count) => (one === method && count === 2 ? raised("ValueError") : undefined);
      const { reader } = run(iterators, upTo(40), "together");
      expect(found(reader.over)).toEqual(stock);
      expect([reader.pace, reader.leavesFile]).toEqual(["single", true]);
      iterators.gc(reader.left);
      expect(iterators.open.size).toBe(0);
    },
  );

  it("becomes one at a time where record iterators have other ids", () => {
    const stock = stocked(2, 2);
    const iterators = new Iterators(stock);
    const call = iterators.call.bind(iterators);
    iterators.call = (method, args) => {
      if (method === "iterator_record_start") call("iterator_start", [0n, 0n]);
      return call(method, args);
    };
    expect(found(run(iterators, upTo(20), "together").reader.over)).toEqual(stock);
  });

  it("hands nothing out twice that it reads anew", () => {
    const stock = stocked(2, 2, 2, 2, 2);
    const iterators = new Iterators(stock);
    iterators.fault = (one, count) =>
      one === "iterator_record_next" && count === 9 ? raised("ValueError") : undefined;
    const taken: unknown[] = [];
    const { reader } = run(iterators, upTo(50), "together", {
      answered: (one) => taken.push(...(found({ kind: "read", found: one.take() }) as unknown[])),
    });
    expect(reader.pace).toBe("single");
    expect(taken).toEqual(stock);
  });

  it("counts anew what it reads anew", () => {
    const stock = stocked(2, 2, 2);
    const iterators = new Iterators(stock);
    iterators.fault = (one, count) =>
      one === "iterator_record_next" && count === 4 ? raised("ValueError") : undefined;
    const { reader } = run(iterators, upTo(30), "together", { bounds: { transactions: 3, oidBytes: 48 } });
    expect(found(reader.over)).toEqual(stock);
  });
});

it("an open end is not read", () => {
  expect(run(new Iterators(stocked(1)), ALL, "single").reader.over).toEqual({
    kind: "failed",
    reason: "not committed yet",
  });
});
