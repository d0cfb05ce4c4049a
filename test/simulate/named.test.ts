import { expect, it } from "vitest";
import type { Overrides } from "./mix.ts";
import { run } from "./run.ts";
import { subjectNamed } from "./subjects.ts";
import { Visits } from "./visits.ts";

/** A run that once found something, as `npm run simulate` prints it when it has made one smaller. */
interface Named {
  readonly name: string;
  readonly subject: string;
  readonly seed: number;
  readonly overrides: Overrides;
  /** What it must find; nothing, once that is repaired. */
  readonly finds?: string;
}

const RUNS: readonly Named[] = [
  {
    name: "an object that is created beside an undo",
    subject: "relay",
    seed: 7951,
    overrides: { bare: true, servers: ["ZEO 5.2.1"], decisions: 1, objects: 1, deeds: { undo: 2 } },
    finds: "1 incomplete",
  },
  {
    name: "a server tells a client of its own commit, which was copied below others",
    subject: "proxy",
    seed: 65171,
    overrides: { bare: true, clients: 1, decisions: 3, objects: 1, fanOut: "late", deeds: { copy: 5 } },
  },
  {
    name: "a stop behind an outage, while the first try of the server is not answered",
    subject: "proxy",
    seed: 81206,
    overrides: {
      bare: true,
      clients: 1,
      decisions: 5,
      objects: 1,
      copiesBelow: 0,
      deeds: { load: 1 },
      faults: { dialNever: 0.3, hangUp: 0.2, crash: 0.1, stop: 0.2 },
    },
  },
  {
    name: "a cache at the tid of an empty transaction of an old server, and a copy below it",
    subject: "proxy",
    seed: 155,
    overrides: {
      bare: true,
      servers: ["ZEO 4 backport"],
      decisions: 11,
      copiesBelow: 0.5,
      emptyTid: true,
      deeds: { modify: 1, empty: 2, copy: 3 },
    },
  },
];

it.each(RUNS)("$name", ({ subject, seed, overrides, finds }) => {
  const { violation } = run(seed, { visits: new Visits(), make: subjectNamed(subject), overrides });
  expect(violation?.name, violation?.message).toBe(finds);
});
