import { describe, expect, it } from "vitest";
import type { Overrides } from "./mix.ts";
import { observer, proxy, turner } from "./proxy.ts";
import { relay } from "./relay.ts";
import { run, type Run } from "./run.ts";
import { KINDS } from "./style.ts";
import { SUBJECTS } from "./subjects.ts";
import { Visits } from "./visits.ts";

/** What no release tells, patched or not, and what a relay does not repair. */
const BEYOND_PATCHES: Overrides = {
  fanOut: "no",
  emptyTid: false,
  // With one, old servers tell of what their storage has not named as its last transaction yet.
  witness: false,
  deeds: { delete: 0, restore: 0, copy: 0 },
  faults: { restartOther: 0, skip: 0, tellEarly: 0 },
};

function runs(from: number, count: number, overrides: Overrides, make = relay): Run[] {
  const visits = new Visits();
  return Array.from({ length: count }, (_, i) => run(from + i, { visits, make, overrides }));
}

function failures(all: readonly Run[]): string[] {
  return all.flatMap(({ seed, violation }) => (violation === undefined ? [] : [`seed ${seed}: ${violation.message}`]));
}

describe("A plain relay", () => {
  const patched = KINDS.filter((kind) => kind.isPatched).map((kind) => kind.name);

  it.each(patched)("before %s, with all faults of clients, network and server, breaks nothing", (name) => {
    expect(failures(runs(1, 60, { ...BEYOND_PATCHES, servers: [name] }))).toEqual([]);
  });

  const unpatched = KINDS.filter((kind) => !kind.isPatched).map((kind) => kind.name);

  it.each(unpatched)("before %s leaves clients incomplete", (name) => {
    const overrides: Overrides = {
      bare: true,
      servers: [name],
      decisions: 40,
      deeds: { mixed: 2, create: 1, load: 1 },
    };
    const names = new Set(runs(1, 20, overrides).map(({ violation }) => violation?.name));
    expect([...names]).toContain("1 incomplete");
  });

  it("leaves clients of an old server untold of what is only created", () => {
    const deeds = { create: 1, load: 3 };
    const overrides: Overrides = { bare: true, servers: ["ZEO 4 py3"], clients: 2, decisions: 6, objects: 40, deeds };
    const names = new Set(runs(1, 60, overrides).map(({ violation }) => violation?.name));
    expect([...names]).toContain("1 untold");
  });
});

describe("Observed clients, and such that are repaired now and then,", () => {
  const patched = KINDS.filter((kind) => kind.isPatched).map((kind) => kind.name);
  // What is in the database all the same its client hears from the proxy alone.
  const plain: Overrides = {
    ...BEYOND_PATCHES,
    faults: { ...BEYOND_PATCHES.faults, finishException: 0, crossesCommit: 0 },
  };

  it.each(patched)("before %s, with all faults of clients, network and server, lose nothing by it", (name) => {
    expect(failures(runs(1, 50, { ...plain, servers: [name] }, observer))).toEqual([]);
    expect(failures(runs(1, 50, { ...plain, servers: [name] }, turner))).toEqual([]);
  });

  it.each(["ZEO 6", "ZEO 6 msgpack"])("before %s with a witness, too", (name) => {
    const overrides = { ...plain, servers: [name], witness: true };
    expect(failures(runs(1, 50, overrides, observer))).toEqual([]);
    expect(failures(runs(1, 50, overrides, turner))).toEqual([]);
  });
});

describe("The proxy", () => {
  /** Seeds that are run for each of so many tests. */
  const SEEDS = 100;

  it.each(Array.from({ length: 10 }, (_, i) => 1 + i * SEEDS))("survives all that seeds from %i on bring", (from) => {
    const all = runs(from, SEEDS, {}, proxy);
    expect(failures(all)).toEqual([]);
  });
});

describe("Trouble of the proxy's own machine", () => {
  it("is no outage of the server, and passes", () => {
    const visits = new Visits();
    // Slow enough that no dial comes before the servers have begun to listen.
    const quiet: Overrides = {
      bare: true,
      clients: 4,
      decisions: 60,
      latencyUs: 100_000,
      deeds: { load: 3, create: 1 },
    };
    const overrides: Overrides = { ...quiet, hindered: 0.3, faults: { leave: 0.2, leaveReset: 0.1 } };
    const all = Array.from({ length: 20 }, (_, i) => run(i, { visits, make: proxy, overrides }));
    expect(failures(all)).toEqual([]);
    expect([visits.of("proxy: down"), visits.of("listener: down")]).toEqual([0, 0]);
    expect(visits.of("proxy: trouble")).toBeGreaterThan(10);
    expect(visits.of("proxy: trouble-over")).toBeGreaterThan(10);
  });
});

describe("Somebody who connects and stays", () => {
  it.each([false, true])("takes nobody's place: the proxy lets him go (as many as may come: %s)", (isFull) => {
    const visits = new Visits();
    const quiet: Overrides = { bare: true, clients: 2, decisions: 60, thinkMs: 500, deeds: { load: 1 }, idlers: 4 };
    const overrides: Overrides = { ...quiet, isFull, faults: { leave: 0.3 } };
    const all = Array.from({ length: 20 }, (_, i) => run(i, { visits, make: proxy, overrides }));
    expect(failures(all)).toEqual([]);
    expect(visits.of("end: not-registered")).toBeGreaterThan(isFull ? 0 : 20);
    if (isFull) expect([visits.of("proxy: full") > 5, visits.of("proxy: room") > 5]).toEqual([true, true]);
  });
});

describe.each(Object.entries(SUBJECTS))("A seed, with the %s as its subject,", (_, make) => {
  it("is one run, bit for bit", () => {
    const first = runs(1, 40, {}, make);
    const second = runs(1, 40, {}, make);
    expect(second.map(({ hash, events, violation }) => [hash, events, violation?.message])).toEqual(
      first.map(({ hash, events, violation }) => [hash, events, violation?.message]),
    );
    expect(new Set(first.map(({ hash }) => hash)).size).toBe(first.length);
  });
});
