import { describe, expect, it } from "vitest";
import { sessionEnd, type SessionEnd } from "../../src/happening/ends.ts";
import type { Happening } from "../../src/happening/happening.ts";
import { oidSet } from "../../src/ledger/oid-set.ts";
import type { Settled } from "../../src/ledger/state.ts";
import { changesOf, newTransaction } from "../../src/ledger/transaction.ts";
import { makeLogger } from "../../src/observe/log.ts";
import { writeLines } from "../../src/report/log-lines.ts";
import { asTid } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";

const place = { upstream: "main", storage: "1" };
const at = expect.any(String) as string;

function linesOf(...happenings: Happening[]): unknown[] {
  const lines: unknown[] = [];
  const write = writeLines(makeLogger("debug", { write: (line) => lines.push(JSON.parse(line)) }), 2);
  for (const happening of happenings) write(happening);
  return lines;
}

function settled(rest: Partial<Settled>): Settled {
  const created = oidSet(packed([1, 2, 4]));
  const restored = oidSet(packed([2, 3]));
  return {
    tid: asTid(0x03e7a1c2aabbccddn),
    order: 1,
    session: 1,
    changes: { ...changesOf(newTransaction(1)), created, restored, oids: oidSet(packed([1, 2, 3, 4])) },
    oids: oidSet(packed([1, 2, 3, 4])),
    complete: true,
    owed: undefined,
    completed: 3,
    synthesized: 4,
    added: undefined,
    lastOwn: undefined,
    madeUp: undefined,
    ...rest,
  };
}

describe("a repair's line", () => {
  it("counts what the server left out, names some of it, and has the transaction's own time", () => {
    expect(linesOf({ what: "repaired", settled: settled({}), ...place })).toEqual([
      {
        level: "info",
        at,
        ...place,
        tid: "03e7a1c2aabbccdd",
        time: "2022-04-18T08:34:40.015Z",
        repair: "synthesized",
        created: 3,
        restored: 1,
        deleted: 0,
        oids: ["0000000000000001", "0000000000000002"],
        completed: 3,
        synthesized: 4,
        msg: "invalidation repaired",
      },
    ]);
  });

  it("counts only what no message of the server's named", () => {
    const some = settled({ added: oidSet(packed([2, 3])), synthesized: 0 });
    expect(linesOf({ what: "repaired", settled: some, ...place })).toMatchObject([
      { repair: "completed", created: 1, restored: 1, oids: ["0000000000000002", "0000000000000003"] },
    ]);
  });

  it("of a getInvalidations reply has from and tid, or the reach where it became None", () => {
    const from = asTid(1n);
    const resumed = { what: "resumed", from, reach: asTid(0n), ...place } as const;
    expect(linesOf({ ...resumed, tid: asTid(2n) }, { ...resumed, tid: undefined })).toEqual([
      {
        level: "info",
        at,
        ...place,
        repair: "resumed",
        from: "0000000000000001",
        tid: "0000000000000002",
        msg: "getInvalidations repaired",
      },
      {
        level: "info",
        at,
        ...place,
        from: "0000000000000001",
        reach: "0000000000000000",
        msg: "getInvalidations answered None: the history does not reach back so far",
      },
    ]);
  });
});

it("what anybody who can connect brings about is told of at most once an hour for each upstream, code and fault", () => {
  const ended = (upstream: string, end: SessionEnd): Happening => ({
    what: "ended",
    upstream,
    client: "127.0.0.1:5",
    storage: undefined,
    end,
  });
  const garbage = sessionEnd("bad-pickle", "0xff", { sender: "client" });
  const lines = linesOf(
    ...Array.from({ length: 5 }, () => ended("main", garbage)),
    ended("other", garbage),
    ended("main", sessionEnd("bad-pickle", "0xff", { sender: "server" })),
    ended("main", sessionEnd("not-registered")),
    ended("main", sessionEnd("not-registered")),
    ended("main", sessionEnd("question-refused")),
    ended("main", sessionEnd("question-refused")),
  );
  expect(lines).toMatchObject([
    { level: "error", upstream: "main", code: "bad-pickle", fault: "client", since: 1, total: 1 },
    { upstream: "other", code: "bad-pickle", fault: "client", total: 1 },
    { upstream: "main", code: "bad-pickle", fault: "server", total: 1 },
    { upstream: "main", code: "not-registered", fault: "client", total: 1 },
    { code: "question-refused" },
    { code: "question-refused" },
  ]);
});

it("an address that is listened on again is told of at debug where nothing else was told", () => {
  const listening = { what: "listening", upstream: "main", address: "a:1", server: "b:2" } as const;
  const levels = linesOf({ ...listening, isAgain: false }, { ...listening, isAgain: true });
  expect(levels).toMatchObject([{ level: "info" }, { level: "debug" }]);
});

it("trouble, fullness and few descriptors have a line each, as loud as their ends", () => {
  const lines = linesOf(
    { what: "trouble", upstream: "main", reason: "EMFILE" },
    { what: "trouble-over", upstream: "main", lastedMs: 5 },
    { what: "full", clients: 20 },
    { what: "room", lastedMs: 5 },
    { what: "few-descriptors", clients: 20, needed: 91, allowed: 64 },
  );
  expect(lines).toMatchObject([
    { level: "error", upstream: "main", reason: "EMFILE" },
    { level: "error", upstream: "main", lastedMs: 5 },
    { level: "warn", clients: 20 },
    { level: "warn", lastedMs: 5 },
    { level: "warn", clients: 20, needed: 91, allowed: 64 },
  ]);
});

it("what can happen to many is told of at most once an hour", () => {
  const foreign = { what: "foreign", tid: asTid(5n), ...place } as const;
  const relayed = { what: "relayed", reason: "tls", upstream: "main", client: "127.0.0.1:5" } as const;
  const lines = linesOf(foreign, foreign, relayed, relayed, { ...relayed, reason: "mac" });
  expect(lines).toMatchObject([{ total: 1 }, { reason: "tls", total: 1 }, { reason: "mac", total: 1 }]);
});
