import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { idIn, Transactions } from "../../src/page/transactions.ts";
import { tidHex } from "../../src/wire/ids.ts";
import { settled, tidOf } from "../ledger/settled.ts";
import { committed, foreign, place, repaired } from "./happenings.ts";
import { oid } from "./site.ts";

const hex = (n: number): string => tidHex(tidOf(n));

describe("a transaction", () => {
  it("has how many objects it has changed, each counted once", () => {
    const kept = new Transactions();
    kept.committed(committed(5, { created: [1, 2], restored: [2, 3], deleted: [3, 4], oids: [1, 8, 9] }), 0);
    expect(kept.before(1, 9)).toEqual([
      {
        id: 0,
        tid: hex(5),
        timeMs: expect.any(Number) as number,
        ...place,
        source: "client",
        objects: 6,
        created: 2,
        restored: 1,
        deleted: 1,
        modified: 2,
        repair: "none",
        isObserved: false,
        added: 0,
        clients: 0,
        toldMs: null,
      },
    ]);
  });

  it("has its repair, once everyone was told", () => {
    const kept = new Transactions();
    kept.committed(committed(5, { created: [1, 2] }), 1000);
    kept.repaired(repaired(5, [1, 2]), 1040);
    expect(kept.before(1, 9)).toMatchObject([{ repair: "synthesized", added: 2, clients: 2, toldMs: 40, created: 2 }]);
    expect(kept.view(hex(5))?.oids).toEqual([
      { oid: oid(1), sort: "created", isAdded: true },
      { oid: oid(2), sort: "created", isAdded: true },
    ]);
  });

  it("has it, too, where its client has left and it is told for another door", () => {
    const kept = new Transactions();
    kept.committed(committed(5, { created: [1] }), 0);
    kept.repaired({ ...repaired(5, [1]), upstream: "other", client: undefined }, 0);
    expect(kept.before(9, 9)).toMatchObject([{ upstream: "main", client: place.client, repair: "synthesized" }]);
  });

  it("that is only observed has what would be done; what was done for others counts", () => {
    const kept = new Transactions();
    kept.committed(committed(5, { created: [1, 2] }), 0);
    kept.repaired(repaired(5, [1, 2]), 0, true);
    expect(kept.before(9, 9)).toMatchObject([{ repair: "synthesized", added: 2, isObserved: true }]);
    kept.repaired(repaired(5, [1, 2]), 0);
    expect(kept.before(9, 9)).toMatchObject([{ repair: "synthesized", isObserved: false }]);
    kept.repaired(repaired(5, [1]), 0, true);
    expect(kept.before(9, 9)).toMatchObject([{ added: 2, isObserved: false }]);
  });

  it("that a client here has committed stays that, whoever has seen it from aside", () => {
    const kept = new Transactions();
    kept.committed(committed(5, { created: [1, 2] }), 0);
    kept.foreign(foreign(5, [1, 2]), 0);
    kept.foreign(foreign(6, [1, 2]), 0);
    kept.committed(committed(6, { created: [1], oids: [2] }), 0);
    expect(kept.before(9, 9)).toMatchObject([
      { source: "client", client: place.client, created: 1, modified: 1 },
      { source: "client", client: place.client, created: 2, modified: 0 },
    ]);
  });

  it("that settled before anybody listened is shown with its repair", () => {
    const kept = new Transactions();
    kept.repaired(repaired(5, [1, 2]), 1000);
    expect(kept.before(1, 9)).toMatchObject([{ tid: hex(5), created: 2, repair: "synthesized" }]);
  });

  it("of others has its objects once they are read, and no sorts", () => {
    const kept = new Transactions();
    kept.foreign(foreign(5, undefined), 0);
    expect(kept.before(9, 9)).toMatchObject([{ source: "foreign", client: null, objects: null }]);
    kept.foreign({ ...foreign(5, [1, 2]), upstream: "other" }, 0);
    expect(kept.before(9, 9)).toMatchObject([{ upstream: "main", objects: 2, created: null, modified: null }]);
    expect(kept.view(hex(5))?.oids.map(({ sort }) => sort)).toEqual(["changed", "changed"]);
  });

  it("of others is another one where a replica has the same tid", () => {
    const kept = new Transactions();
    kept.foreign(foreign(5, [1]), 0);
    kept.foreign({ ...foreign(5, [1]), upstream: "replica" }, 0);
    expect(kept.before(9, 9).map(({ upstream }) => upstream)).toEqual(["replica", "main"]);
    expect(kept.view(hex(5), "main")).toMatchObject({ upstream: "main" });
    expect(kept.view(hex(5), "nobody")).toBeUndefined();
  });

  it("with very many objects keeps the lowest ones, and counts all", () => {
    const kept = new Transactions();
    const many = Array.from({ length: 3000 }, (_, n) => n + 1);
    kept.committed(committed(5, { created: many, oids: [5000] }), 0);
    const view = kept.view(hex(5));
    expect(view).toMatchObject({ objects: 3001, created: 3000, modified: 1 });
    expect(view?.oids.map((one) => one.oid)).toEqual(many.slice(0, 256).map(oid));
    expect(kept.search(oid(7)).rows).toHaveLength(1);
    expect(kept.search(oid(2999))).toMatchObject({ rows: [], uncertain: 1 });
  });

  it("that undoes has what the server has named, too", () => {
    const kept = new Transactions();
    kept.committed(committed(5, { created: [1] }), 0);
    const happening = repaired(5, [1]);
    const { settled: then } = happening;
    kept.repaired({ ...happening, settled: { ...then, oids: settled(5, [1, 2, 3]).oids } }, 0);
    expect(kept.before(9, 9)).toMatchObject([{ objects: 3, created: 1, modified: 2, added: 1 }]);
  });
});

describe("the last transactions", () => {
  it("are kept, and no more: the oldest goes", () => {
    const kept = new Transactions(3);
    for (let n = 1; n <= 5; n++) kept.committed(committed(n), 0);
    expect([kept.first, kept.next]).toEqual([2, 5]);
    expect(kept.before(99, 99).map(({ tid }) => tid)).toEqual([hex(5), hex(4), hex(3)]);
    expect(kept.before(4, 1).map(({ tid }) => tid)).toEqual([hex(4)]);
    expect(kept.view(hex(2))).toBeUndefined();
    expect(kept.search(oid(2)).rows).toEqual([]);
  });

  it("say which have changed since a change, each once and as it is now", () => {
    const kept = new Transactions(10);
    kept.committed(committed(1), 0);
    const before = kept.changes;
    kept.committed(committed(2, { created: [2] }), 0);
    kept.committed(committed(3), 0);
    kept.repaired(repaired(2, [2]), 0);
    expect(kept.since(before)?.map(({ tid, repair }) => [tid, repair])).toEqual([
      [hex(3), "none"],
      [hex(2), "synthesized"],
    ]);
    expect(kept.since(kept.changes)).toEqual([]);
  });

  it("say nothing of what has changed too long ago", () => {
    const kept = new Transactions(3);
    for (let n = 1; n <= 5; n++) kept.committed(committed(n), 0);
    expect(kept.since(1)).toBeUndefined();
    expect(kept.since(2)).toHaveLength(3);
  });

  it("are found by tid and by oid, newest first, as somebody types it", () => {
    const kept = new Transactions();
    kept.committed(committed(0x10, { oids: [0xab, 3] }), 0);
    kept.committed(committed(0x11, { oids: [3] }), 0);
    kept.committed(committed(0xab, { oids: [9] }), 0);
    const found = (query: string): string[] => kept.search(query).rows.map(({ tid }) => tid);
    expect(found("3")).toEqual([hex(0x11), hex(0x10)]);
    expect(found(" 0xAB ")).toEqual([hex(0xab), hex(0x10)]);
    expect(kept.search("nothing")).toEqual({ query: "nothing", id: null, rows: [], isCut: false, uncertain: 0 });
  });

  it("are not found by eight bytes that stand across two oids", () => {
    const kept = new Transactions();
    kept.committed(committed(1, { oids: [1, 2] }), 0);
    expect(kept.search("100000000").rows).toEqual([]);
  });
});

it.each([
  ["1f4", oid(0x1f4)],
  ["0x1F4", oid(0x1f4)],
  [oid(0x1f4), oid(0x1f4)],
  [`0${oid(1)}`, null],
  ["", null],
  ["0x", null],
  ["12 34", null],
])("reads %j as %j", (text, id) => {
  expect(idIn(text)).toBe(id);
});

it("of a transaction that has made room nothing is kept: a hundred thousand cost what ten do", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const kept = new Transactions(10);
  const one = committed(1);
  const commit = (from: number, to: number): void => {
    for (let n = from; n < to; n++) kept.committed({ ...one, tid: tidOf(n) }, 0);
  };
  commit(1, 1_000);
  const before = heap();
  commit(1_000, 101_000);
  // Their names alone would be some 20 MB.
  expect(heap() - before).toBeLessThan(4 * 1024 * 1024);
  expect(kept.next).toBe(100_999);
});
