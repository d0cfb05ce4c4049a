import { describe, expect, it } from "vitest";
import { sessionEnd, type SessionEnd } from "../../src/happening/ends.ts";
import type { Happening } from "../../src/happening/happening.ts";
import { oidSet } from "../../src/ledger/oid-set.ts";
import type { Settled } from "../../src/ledger/state.ts";
import { changesOf, newTransaction } from "../../src/ledger/transaction.ts";
import { makeLogger } from "../../src/log/logger.ts";
import { writeLines } from "../../src/report/log-lines.ts";
import { asTid } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";

const place = { upstream: "main", storage: "1", client: "127.0.0.1:5" };
const at = expect.any(String) as string;

function linesOf(...happenings: Happening[]): unknown[] {
  return linesAt("debug", "each", happenings);
}

function linesAt(level: string, repairs: "each" | "summary", happenings: readonly Happening[]): unknown[] {
  const lines: unknown[] = [];
  const logger = makeLogger(level, { write: (line) => lines.push(JSON.parse(line)) });
  const write = writeLines(logger, { oids: 2, repairs });
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
        source: "client",
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

  it("counts each oid as one sort, whatever the transaction did to it", () => {
    const changes = {
      ...changesOf(newTransaction(1)),
      created: oidSet(packed([1, 2])),
      restored: oidSet(packed([2, 3, 4])),
      deleted: oidSet(packed([1, 4, 5])),
    };
    const none = oidSet(packed([]));
    const all = oidSet(packed([1, 2, 3, 4, 5]));
    const counted = (added: Buffer | undefined, rest: object = {}) =>
      linesOf({ what: "repaired", settled: settled({ added, oids: all, changes: { ...changes, ...rest } }), ...place });
    expect(counted(undefined)).toMatchObject([{ created: 2, restored: 2, deleted: 2 }]);
    expect(counted(oidSet(packed([2, 3, 5])))).toMatchObject([{ created: 1, restored: 1, deleted: 1 }]);
    expect(counted(none)).toMatchObject([{ created: 0, restored: 0, deleted: 0, oids: [] }]);
    expect(counted(all, { created: none })).toMatchObject([{ created: 0, restored: 3, deleted: 3 }]);
    expect(counted(all, { restored: none, deleted: none })).toMatchObject([{ created: 2, restored: 0, deleted: 0 }]);
  });

  it("of a getInvalidations reply has from and tid, or the reach where it became None", () => {
    const from = asTid(1n);
    const resumed = { what: "resumed", from, reach: asTid(2n), ...place } as const;
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
        reach: "0000000000000002",
        msg: "getInvalidations answered None: the history does not reach back so far",
      },
    ]);
  });

  it("of a getInvalidations reply that became None although the history reaches back says so", () => {
    const resumed = { what: "resumed", from: asTid(2n), tid: undefined, ...place } as const;
    expect(linesOf({ ...resumed, reach: asTid(2n) }, { ...resumed, reach: undefined })).toMatchObject([
      { msg: "getInvalidations answered None: what has changed since is not all known, or is too much" },
      { msg: "getInvalidations answered None: the history does not reach back so far" },
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

it("the admin server's address has a line, and what goes wrong in it", () => {
  const lines = linesOf(
    { what: "admin-listening", address: "127.0.0.1:9180" },
    { what: "admin-failed", error: new Error("of this test") },
  );
  expect(lines).toMatchObject([
    { level: "info", address: "127.0.0.1:9180", msg: "admin listening" },
    { level: "error", err: { message: "of this test" }, msg: "an unexpected error" },
  ]);
});

describe("a getInvalidations that the server itself answered None", () => {
  it("has a line that says whose, and from where on", () => {
    expect(linesOf({ what: "not-resumed", from: asTid(255n), ...place })).toEqual([
      {
        level: "info",
        at,
        ...place,
        from: "00000000000000ff",
        msg: "getInvalidations answered None: the server itself does not reach back so far",
      },
    ]);
  });
});

it("a repair's line is not put together where its level is off", () => {
  const unread: Happening = {
    what: "repaired",
    ...place,
    get settled(): never {
      return expect.unreachable();
    },
  };
  expect(linesAt("warn", "each", [unread])).toEqual([]);
});

describe("log.repairs: summary", () => {
  it("leaves out the line for each repair, and nothing else", () => {
    const resumed = { what: "resumed", from: asTid(1n), reach: asTid(2n), ...place } as const;
    const lines = linesAt("debug", "summary", [
      { what: "repaired", settled: settled({}), ...place },
      { ...resumed, tid: asTid(2n) },
      { ...resumed, tid: undefined },
      { what: "not-resumed", from: asTid(1n), ...place },
    ]);
    expect(lines).toMatchObject([
      { msg: "getInvalidations answered None: the history does not reach back so far" },
      { msg: "getInvalidations answered None: the server itself does not reach back so far" },
    ]);
  });
});

it("what may be several servers has an error once an hour for each upstream, and for each storage", () => {
  const addresses = ["10.0.0.1:8100", "10.0.0.2:8100"];
  const again = { what: "set-back-again", server: "zeo:8100", address: addresses[1], addresses, times: 2 } as const;
  const several = { what: "several-addresses", server: "zeo:8100", addresses: ["10.0.0.1", "10.0.0.2"] } as const;
  const lines = linesAt("error", "each", [
    { ...again, ...place },
    { ...several, upstream: "main" },
    { ...again, ...place },
    { ...several, upstream: "main" },
    { ...again, ...place, storage: "2" },
    { ...several, upstream: "other" },
  ]);
  const msg =
    "several addresses answer at once: if these are several servers, clients' reads can be stale without a sign";
  const { what: _again, ...older } = again;
  const { what: _several, ...atOnce } = several;
  const counts = { since: 1, total: 1, level: "error", at };
  const olderMsg =
    "the server's last transaction was older again: are these several servers? Its clients' reads can be stale";
  expect(lines).toEqual([
    { upstream: "main", storage: "1", ...older, ...counts, msg: olderMsg },
    { upstream: "main", ...atOnce, ...counts, msg },
    { upstream: "main", storage: "2", ...older, ...counts, msg: olderMsg },
    { upstream: "other", ...atOnce, ...counts, msg },
  ]);
});

describe("what begins at a level", () => {
  const where = { upstream: "main", server: "server:1", address: "127.0.0.1:9100" } as const;
  const listening = { what: "listening", ...where, isAgain: false } as const;

  it.each(["debug", "info", "warn", "error"])("ends at that level, too: at %s an outage is over some time", (level) => {
    const lines = linesAt(level, "each", [
      { what: "down", reason: "ECONNREFUSED", ...where },
      { what: "up", downMs: 5, ...where },
    ]);
    expect(lines).toMatchObject([
      { level: "error", msg: "the server is down: not listening", reason: "ECONNREFUSED" },
      { level: "error", msg: "the server is back", downMs: 5 },
    ]);
  });

  it.each(["debug", "info", "warn", "error"])("at %s an address that was taken is had again some time", (level) => {
    const lines = linesAt(level, "each", [
      { what: "blocked", reason: "EADDRINUSE", ...where },
      { ...listening, upstream: "another one" },
      listening,
      listening,
    ]);
    expect(lines).toMatchObject(
      [
        { level: "error", reason: "EADDRINUSE" },
        { level: "info", upstream: "another one" },
        { level: "error", upstream: "main", msg: "listening" },
        { level: "info", upstream: "main", msg: "listening" },
      ].filter((line) => line.level === "error" || level === "debug" || level === "info"),
    );
  });
});

describe("a message that is held for long", () => {
  it("has a line when that shows, and one when it is over", () => {
    expect(
      linesAt("warn", "each", [
        { what: "held-long", heldMs: 1_500, ...place },
        { what: "held-over", heldMs: 2_500, ...place },
      ]),
    ).toMatchObject([
      { level: "warn", ...place, heldMs: 1_500, msg: "a message is held for over a second" },
      { level: "warn", ...place, heldMs: 2_500, msg: "a message that was held has gone out" },
    ]);
  });
});

describe("what concerns a client", () => {
  it("names it", () => {
    const lines = linesOf(
      { what: "in-limbo", ...place },
      { what: "held-long", heldMs: 1_500, ...place },
      { what: "copied-history", tid: asTid(1n), known: asTid(2n), ...place },
    );
    expect(lines).toMatchObject([{ client: place.client }, { client: place.client }, { client: place.client }]);
  });
});

it("what can happen to many is told of at most once an hour", () => {
  const foreign = { what: "foreign", isRead: false, tid: asTid(5n), ...place } as const;
  const relayed = { what: "relayed", reason: "tls", upstream: "main", client: "127.0.0.1:5" } as const;
  const lines = linesOf(foreign, foreign, relayed, relayed, { ...relayed, reason: "mac" });
  expect(lines).toMatchObject([{ total: 1 }, { reason: "tls", total: 1 }, { reason: "mac", total: 1 }]);
});

it("what fails with TLS has a warning once an hour for each upstream, side and reason", () => {
  const failed = {
    what: "tls-failed",
    upstream: "main",
    peer: "10.0.0.1:5000",
    reason: "ERR_SSL_HTTP_REQUEST",
  } as const;
  const lines = linesAt("warn", "each", [
    { ...failed, party: "client" },
    { ...failed, party: "client", peer: "10.0.0.2:5000" },
    { ...failed, party: "client", reason: "too-many-handshakes" },
    { ...failed, party: "server" },
    { what: "unverified", upstream: "main" },
  ]);
  const { upstream, peer, reason } = failed;
  const once = { upstream, since: 1, total: 1 };
  expect(lines).toMatchObject([
    { ...once, client: peer, reason, msg: "TLS with a client failed" },
    { ...once, client: peer, reason: "too-many-handshakes", msg: "TLS with a client failed" },
    { ...once, server: peer, reason, msg: "TLS with the server failed" },
    { upstream, msg: "server-tls.verify is off: whoever answers at the server's address is taken for it" },
  ]);
});
it("clients that are refused are told of at most once an hour, for each upstream and reason", () => {
  const refused = { what: "refused", upstream: "main", client: "10.0.0.1:5", reason: "denied" } as const;
  const full = { ...refused, reason: "address-full" } as const;
  const lines = linesOf(refused, refused, full, full, { ...refused, upstream: "other" });
  const msg = "a client is refused: closed as soon as it has connected";
  expect(lines).toEqual([
    { level: "warn", at, upstream: "main", client: "10.0.0.1:5", reason: "denied", since: 1, total: 1, msg },
    { level: "warn", at, upstream: "main", client: "10.0.0.1:5", reason: "address-full", since: 1, total: 1, msg },
    { level: "warn", at, upstream: "other", client: "10.0.0.1:5", reason: "denied", since: 1, total: 1, msg },
  ]);
});

it("clients whose TLS handshake has failed are told of once, by the line about TLS", () => {
  const refused = { what: "refused", upstream: "main", client: "10.0.0.1:5" } as const;
  const reasons = ["tls-failed", "tls-timeout", "too-many-handshakes"] as const;
  expect(linesOf(...reasons.map((reason) => ({ ...refused, reason })))).toEqual([]);
});

it("what nobody guards at an address is warned of", () => {
  const unguarded = { what: "unguarded", upstream: "main", address: "0.0.0.0:9100" } as const;
  expect(linesOf({ ...unguarded, against: "anybody" }, { ...unguarded, against: "forged addresses" })).toMatchObject(
    [
      { level: "warn", upstream: "main", address: "0.0.0.0:9100", msg: /no allow list$/ },
      { level: "warn", upstream: "main", address: "0.0.0.0:9100", msg: /accept-proxy has no list$/ },
    ].map((line) => ({ ...line, msg: expect.stringMatching(line.msg) as string })),
  );
});

describe("storages that there are not", () => {
  const unwatched = (storage: string, reason: "no-storage" | "no-iteration"): Happening => ({
    what: "unwatched",
    ...place,
    storage,
    family: "new",
    reason,
  });

  it("are told of once an hour, since anybody can ask for ever others", () => {
    const lines = linesOf(unwatched("a", "no-storage"), unwatched("b", "no-storage"), unwatched("c", "no-storage"));
    expect(lines).toMatchObject([{ level: "warn", storage: "a", reason: "no-storage", since: 1, total: 1 }]);
  });

  it("hide none that there is", () => {
    const lines = linesOf(unwatched("a", "no-storage"), unwatched("1", "no-iteration"), unwatched("2", "no-iteration"));
    expect(lines).toMatchObject([{ storage: "a" }, { storage: "1" }, { storage: "2" }]);
  });
});
