import { describe, expect, it } from "vitest";
import { broken, type Flaw } from "./broken.ts";
import { flawed, type ProxyFlaw } from "./flawed.ts";
import type { Overrides } from "./mix.ts";
import { proxy } from "./proxy.ts";
import { run } from "./run.ts";
import { Visits } from "./visits.ts";

/** A calm world with a patched server: a relay without a flaw has nothing to fear in it. */
const CALM: Overrides = {
  bare: true,
  servers: ["ZEO 6"],
  clients: 3,
  decisions: 60,
  objects: 8,
  deeds: { load: 5, lastTransaction: 3, modify: 4, create: 2, burst: 2 },
};

/** For each flaw: the checks that it can be found by. */
const FLAWS: readonly (readonly [Flaw, readonly string[]])[] = [
  ["keeps received bytes", ["3 to client", "4 not ready"]],
  ["changes a byte to the server", ["3 to server"]],
  ["changes a byte to the client", ["3 to client"]],
  ["loses a reply", ["3 to client", "4 stuck"]],
  ["swaps two replies", ["3 to client", "4 stuck"]],
  ["loses an invalidation", ["3 lost", "1 untold", "4 stuck"]],
  ["repeats an invalidation", ["2 growing"]],
  ["names fewer oids", ["1 incomplete"]],
  ["invents a tid", ["2 true"]],
  ["holds an invalidation back", ["3 lost", "4 stuck"]],
  ["moves invalidations ahead", ["6 old answer"]],
  ["writes another dialect", ["3 dialect"]],
  ["keeps the last reply", ["4 stuck", "4 not ready"]],
  ["ends a session for nothing", ["4 ended"]],
  ["leaves a timer", ["7 left over"]],
  ["leaves a connection open", ["7 left over"]],
];

function found(flaw: Flaw): Set<string> {
  const names = new Set<string>();
  for (let seed = 1; seed <= 12; seed++) {
    const { violation } = run(seed, { visits: new Visits(), make: broken(flaw), overrides: CALM });
    if (violation !== undefined) names.add(violation.name);
  }
  return names;
}

describe("The checks find a relay that", () => {
  it.each(FLAWS)("%s", (flaw, names) => {
    const seen = found(flaw);
    expect(
      [...seen].filter((name) => names.includes(name)),
      `found: ${[...seen].join(", ")}`,
    ).not.toEqual([]);
  });
});

/** Before the same servers as another one, which has the same flaw; one is killed now and then, and nobody else commits. */
const BESIDE_ANOTHER: Overrides = {
  bare: true,
  servers: ["ZEO 5.2.1", "ZEO 4 py3"],
  proxies: 2,
  witness: true,
  downMs: 2000,
  clients: 3,
  decisions: 200,
  objects: 8,
  thinkMs: 500,
  latencyUs: 300,
  deeds: { load: 3, lastTransaction: 1, modify: 4, create: 3, mixed: 2 },
  faults: { crash: 0.02, leave: 0.03 },
};

/** For each flaw: where it is looked for, and the checks that it can be found by. */
const PROXY_FLAWS: readonly (readonly [ProxyFlaw, Overrides, readonly string[]])[] = [
  ["leaves old answers as they are", { servers: ["ZEO 4 py3"] }, ["6 old answer"]],
  ["answers from what it does not know behind its start", BESIDE_ANOTHER, ["1 resume incomplete"]],
  ["takes what passed by it as told", BESIDE_ANOTHER, ["1 incomplete", "1 resume incomplete"]],
  ["tells what another proxy has told", BESIDE_ANOTHER, ["1 evidence", "2 once"]],
  ["waits for no look", BESIDE_ANOTHER, ["1 incomplete", "1 evidence"]],
  ["gives up what it could read", BESIDE_ANOTHER, ["4 ended", "4 needless None"]],
];

/** In so many seeds each must show. */
const FEW = 48;

describe("The checks find a proxy that", () => {
  it.each(PROXY_FLAWS)("%s", (flaw, overrides, names) => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= FEW && !names.some((name) => seen.has(name)); seed++) {
      const { violation } = run(seed, { visits: new Visits(), make: flawed(flaw), overrides });
      if (violation !== undefined) seen.add(violation.name);
    }
    expect(
      [...seen].filter((name) => names.includes(name)),
      `found: ${[...seen].join(", ")}`,
    ).not.toEqual([]);
  });
});

it("The checks find nothing wrong with two proxies that have no flaw", () => {
  const all = Array.from({ length: 6 }, (_, i) =>
    run(1 + i, { visits: new Visits(), make: proxy, overrides: BESIDE_ANOTHER }),
  );
  expect(all.flatMap(({ violation }) => violation?.message ?? [])).toEqual([]);
});

it("The checks find nothing wrong with a relay that has no flaw", () => {
  expect([...found("has no flaw")]).toEqual([]);
});
