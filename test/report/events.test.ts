import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { sessionEnd } from "../../src/happening/ends.ts";
import type { Happening } from "../../src/happening/happening.ts";
import { oidSet } from "../../src/ledger/oid-set.ts";
import { changesOf, newTransaction } from "../../src/ledger/transaction.ts";
import { emitEvents, type ProxyEvents } from "../../src/report/events.ts";
import { asTid } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";

const session = { upstream: "main", client: "127.0.0.1:1" };
const storage = { upstream: "main", storage: "1", client: "127.0.0.1:5" };

const repaired: Happening = {
  what: "repaired",
  settled: {
    tid: asTid(0x03e7a1c2aabbccddn),
    order: 1,
    session: 1,
    changes: { ...changesOf(newTransaction(1)), created: oidSet(packed([1, 2, 3])), oids: oidSet(packed([1, 2, 3])) },
    oids: oidSet(packed([1, 2, 3])),
    complete: true,
    owed: undefined,
    completed: 2,
    synthesized: 0,
    added: oidSet(packed([1, 2, 3])),
    lastOwn: undefined,
    madeUp: undefined,
  },
  ...storage,
};

/** The names and arguments of all that is emitted. */
function emitted(...happenings: Happening[]): unknown[][] {
  const emitter = new EventEmitter<ProxyEvents>();
  const events: unknown[][] = [];
  for (const name of ["repaired", "resumed", "listening", "down", "ended"] as const) {
    emitter.on(name, (...args: unknown[]) => events.push([name, ...args]));
  }
  const read = emitEvents(emitter, { oids: 2 });
  for (const happening of happenings) read(happening);
  return events;
}

describe("what the library's users are told of", () => {
  it("is a repair, with as many oids as are asked for", () => {
    expect(emitted(repaired)).toEqual([
      [
        "repaired",
        {
          ...storage,
          source: "client",
          tid: "03e7a1c2aabbccdd",
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
          repair: "completed",
          created: 3,
          restored: 0,
          deleted: 0,
          oids: ["0000000000000001", "0000000000000002"],
          completed: 2,
          synthesized: 0,
        },
      ],
    ]);
  });

  it("is a getInvalidations reply that was repaired, not one that was answered None", () => {
    const resumed = { what: "resumed", from: asTid(1n), ...storage } as const;
    expect(
      emitted({ ...resumed, tid: asTid(255n), reach: undefined }, { ...resumed, tid: undefined, reach: asTid(7n) }),
    ).toEqual([["resumed", { ...storage, from: "0000000000000001", tid: "00000000000000ff" }]]);
  });

  it("is an upstream that listens, at its own address, and one that is down, with its server's", () => {
    const [address, server] = ["127.0.0.1:9100", "127.0.0.1:8100"];
    expect(
      emitted(
        { what: "listening", upstream: "main", address, server, isAgain: false },
        { what: "down", upstream: "main", server, reason: "silent" },
      ),
    ).toEqual([
      ["listening", { upstream: "main", address }],
      ["down", { upstream: "main", address: server }],
    ]);
  });

  it("is a session that the proxy ended, by code, without what was in it", () => {
    const end = sessionEnd("bad-pickle", "a secret", { sender: "client", offset: 5 });
    expect(emitted({ what: "ended", storage: "1", end, ...session })).toEqual([
      ["ended", { ...session, code: "bad-pickle" }],
    ]);
  });

  it("is nothing else", () => {
    expect(
      emitted(
        { what: "opened", ...session },
        { what: "relayed", reason: "tls", ...session },
        { what: "foreign", isRead: false, tid: asTid(5n), ...storage },
        { what: "not-resumed", from: asTid(5n), ...storage },
        { what: "in-limbo", ...storage },
        { what: "held-long", heldMs: 1_500, ...storage },
        { what: "held-over", heldMs: 2_500, ...storage },
        { what: "announced", repair: "completed" },
        { what: "asked" },
        { what: "up", upstream: "main", server: "server:1", downMs: 5 },
        { what: "blocked", upstream: "main", address: "127.0.0.1:9100", reason: "EADDRINUSE" },
        { what: "trouble", upstream: "main", reason: "EMFILE" },
        { what: "trouble-over", upstream: "main", lastedMs: 5 },
        { what: "full", clients: 5 },
        { what: "room", lastedMs: 5 },
        { what: "few-descriptors", clients: 5, needed: 60, allowed: 50 },
        { what: "admin-listening", address: "127.0.0.1:9180" },
        { what: "admin-failed", error: new Error("of this test") },
      ),
    ).toEqual([]);
  });
});

it("of a repair that nobody listens for is not put together", () => {
  const unread: Happening = {
    ...repaired,
    get settled(): never {
      return expect.unreachable();
    },
  };
  emitEvents(new EventEmitter<ProxyEvents>(), { oids: 2 })(unread);
});
