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
  {
    name: "the clients that commit behind a copy are refused, by a conflict: so the one of them that is left never verifies",
    subject: "proxy",
    seed: 97544,
    overrides: {
      bare: true,
      servers: ["ZEO 5.2.1"],
      clients: 5,
      idlers: 2,
      decisions: 115,
      objects: 1,
      deeds: { lastTransaction: 5, copy: 5 },
    },
  },
  {
    name: "the first vote behind a copy ends all sessions for what was in limbo, and its own",
    subject: "proxy",
    seed: 233178,
    overrides: {
      bare: true,
      strangers: 1,
      decisions: 384,
      objects: 1,
      latencyUs: 3000,
      chop: 0.05,
      doors: 2,
      deeds: { load: 5, lastTransaction: 2, copy: 2 },
    },
  },
  {
    name: "a copy lies below a foreign commit alone, of which nobody was told",
    subject: "proxy",
    seed: 660995,
    overrides: {
      bare: true,
      servers: ["ZEO 4 py2"],
      foreign: 1,
      decisions: 46,
      objects: 20,
      latencyUs: 0,
      aborts: 0.15,
      largeBytes: 20_000,
      frameBytes: 3000,
      deeds: { load: 5, loadOld: 2, plain: 1, delete: 1, undo: 5, copy: 1 },
      faults: { garbage: 0.005 },
    },
  },
  {
    name: "an old client is told of its own commit inside its finish, which fails behind it",
    subject: "proxy",
    seed: 456855,
    overrides: {
      bare: true,
      servers: ["ZEO 4 py3"],
      clients: 1,
      hindered: 0.4,
      decisions: 3,
      objects: 1,
      fanOut: "early",
      copiesBelow: 0,
      deeds: { restore: 1 },
      faults: { finishLies: 0.1 },
    },
  },
  {
    name: "a client begins at a tid that the proxy has read behind a higher one",
    subject: "proxy",
    seed: 706093,
    overrides: {
      bare: true,
      servers: ["ZEO 4 py2"],
      foreign: 1,
      decisions: 184,
      objects: 8,
      thinkMs: 0.05,
      burst: 20,
      latencyUs: 300,
      copiesBelow: 0,
      doors: 2,
      deeds: {
        load: 5,
        loadOld: 2,
        plain: 5,
        burst: 50,
        heartbeat: 5,
        modify: 4,
        create: 2,
        delete: 1,
        blob: 5,
        empty: 2,
        sendBlob: 5,
      },
      faults: { dialFails: 0.01, occupied: 0.0005, cut: 0.0005, leaveReset: 0.001, restart: 0.0002, stop: 0.00015 },
    },
  },
  {
    name: "a handshake that the network holds up for longer than it may take",
    subject: "proxy",
    seed: 216220,
    overrides: {
      bare: true,
      servers: ["ZEO 5.2.1"],
      clients: 4,
      decisions: 1,
      objects: 1,
      latencyUs: 3000,
      stalls: 0.1,
      stallUs: 4_000_000,
      chop: 0.9,
      copiesBelow: 0,
      deeds: { restore: 2 },
    },
  },
];

it.each(RUNS)("$name", ({ subject, seed, overrides, finds }) => {
  const { violation } = run(seed, { visits: new Visits(), make: subjectNamed(subject), overrides });
  expect(violation?.name, violation?.message).toBe(finds);
});
