import { describe, expect, it } from "vitest";
import { StorageLedger } from "../../src/ledger/ledger.ts";
import { newState } from "../../src/ledger/state.ts";
import type { StoreSort } from "../../src/ledger/transaction.ts";
import { ANY_TID, asTid, NO_TID, type Tid } from "../../src/wire/ids.ts";
import { packed } from "./script.ts";

/*
 * What an event costs must not grow with what waits. CPU time is compared with that of ten times less: what is linear
 * needs ten times as long, what is quadratic a hundred times. The bound lies between, with room for a busy machine.
 */

const T = (n: number): Tid => asTid(BigInt(n));
const READ = { payload: "", bytes: 1 };
const REPLY = { ...READ, order: 0 };
const TOO_MANY_TIMES = 45;

function ledger(server: "old" | "new", sessions: number): StorageLedger<string> {
  const made = new StorageLedger<string>(newState(server));
  for (let i = 1; i <= sessions; i++) {
    made.registerForwarded(i);
    made.registerReply(i, server === "new" ? T(1) : undefined, READ);
    if (server === "old") made.lastTransactionReply(i, T(1), made.stamp, READ);
  }
  made.take();
  return made;
}

function finish(made: StorageLedger<string>, oids: Buffer, sort: StoreSort = "modified"): number {
  made.beginForwarded(1, 7);
  const serial = sort === "created" ? "zero" : "set";
  for (let at = 0; at < oids.length; at += 8) made.storeForwarded(1, 7, sort, serial, oids, at);
  return made.finishForwarded(1, 7);
}

function commit(made: StorageLedger<string>, tid: number, oids: Buffer, sort?: StoreSort): void {
  made.finishReply(1, finish(made, oids, sort), T(tid), 0, REPLY);
}

/** CPU time in µs, the least of some. */
function least(prepare: () => () => void): number {
  return Math.min(
    ...Array.from({ length: 3 }, () => {
      const work = prepare();
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return user + system;
    }),
  );
}

function expectLinear(prepare: (size: number) => () => void, small: number): void {
  prepare(small)();
  const one = Math.max(
    1000,
    least(() => prepare(small)),
  );
  const ten = least(() => prepare(small * 10));
  expect(ten / one, `${ten} against ${one} µs`).toBeLessThan(TOO_MANY_TIMES);
}

const ONE = packed([5]);

describe("linear", { timeout: 120_000 }, () => {
  it("in the commits that are due to a session: settling them", () => {
    expectLinear((due) => {
      const made = ledger("old", 2);
      return () => {
        for (let t = 10; t < 10 + due; t++) commit(made, t, ONE);
      };
    }, 2000);
  });

  it("in the commits that are due to a session: the proof of all of them", () => {
    expectLinear((due) => {
      const made = ledger("old", 2);
      for (let t = 10; t < 10 + due; t++) commit(made, t, ONE);
      made.take();
      return () => {
        made.lastTransactionReply(2, T(10 + due), made.stamp, READ);
        expect(made.take().filter((action) => action.do === "announce")).toHaveLength(due);
      };
    }, 2000);
  });

  it("in the commits that are due to a session: the server's own messages of them", () => {
    expectLinear((due) => {
      const made = ledger("new", 2);
      for (let t = 10; t < 10 + due; t++) commit(made, t, ONE);
      made.take();
      return () => {
        for (let t = 10; t < 10 + due; t++) made.invalidation(2, { tid: T(t), oids: ONE }, 0, READ);
      };
    }, 1000); // An array of more than some 16,000 V8 moves as a whole when its first one goes: 25 µs.
  });

  it.each(["old", "new"] as const)("%s: in the commits that are due: those that go before what is held", (server) => {
    expectLinear((due) => {
      const made = ledger(server, 2);
      commit(made, 9, ONE);
      made.reply(2, { tid: ANY_TID, exact: false }, REPLY);
      for (let t = 10; t < 9 + due; t++) commit(made, t, ONE);
      made.take();
      return () => {
        made.lastTransactionReply(2, T(10 + due), made.stamp, READ);
        expect(made.take().filter((action) => action.do === "announce")).toHaveLength(due);
      };
    }, 1000);
  });

  it("old: in the silent commits behind those that are due", () => {
    expectLinear((due) => {
      const made = ledger("old", 2);
      for (let t = 10; t < 10 + due; t++) commit(made, t, ONE);
      return () => {
        for (let t = 10 + due; t < 10 + 2 * due; t++) commit(made, t, ONE, "created");
      };
    }, 2000);
  });

  it.each(["old", "new"] as const)("%s: in the commits that are in doubt when a connection breaks", (server) => {
    expectLinear((doubts) => {
      const made = ledger(server, 2);
      for (let k = 0; k < doubts; k++) finish(made, ONE);
      return () => made.serverGone(1, true);
    }, 5000);
  });

  it("in the replies that are held for a session: invalidations behind them", () => {
    expectLinear((held) => {
      const made = ledger("new", 2);
      finish(made, ONE);
      for (let k = 0; k < held; k++) made.reply(2, { tid: T(11), exact: true }, REPLY);
      return () => {
        for (let k = 0; k < held; k++) made.invalidation(2, { tid: T(12 + k), oids: ONE }, 0, READ);
      };
    }, 1000);
  });
});

it("a message that is read before its committer's reply is sorted once, however many sessions get it", () => {
  const oids = packed(Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 100_003) + 1));
  const made = ledger("new", 3);
  const number = finish(made, oids);
  const args = { tid: T(10), oids };
  made.invalidation(2, args, 0, READ);
  const heard = made.state.heard.get(T(10));
  made.invalidation(3, args, 0, READ);
  expect(made.state.heard.get(T(10))).toBe(heard);
  made.finishReply(1, number, T(10), 0, REPLY);
  expect(made.state.heard.size).toBe(0);
});

it("tids that were kept for commits that are over are forgotten, though others are always finishing", () => {
  const made = ledger("new", 3);
  let number = finish(made, ONE);
  for (let t = 10; t < 200; t++) {
    const next = finish(made, ONE); // forwarded before the other's reply is read
    made.invalidation(2, { tid: T(t * 2 + 1), oids: ONE }, 0, READ);
    made.finishReply(1, number, T(t * 2), 0, REPLY);
    number = next;
  }
  expect(made.state.heard.size).toBeLessThan(5);
  expect(made.state.known).not.toBe(NO_TID);
});
