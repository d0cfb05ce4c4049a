import type { Changes } from "../embedded/client-commit.ts";
import { mappingRecord, rootRecord } from "./records.ts";

/** One scripted commit: what the writer does, and with which objects. */
export interface Step {
  readonly title: string;
  readonly changes: Changes;
}

/** Oids as ZODB writes them, in hex. */
function oids(...numbers: readonly number[]): string[] {
  return numbers.map((number) => number.toString(16).padStart(16, "0"));
}

/** The root object and one that it names, so that a real client has something to look at. */
const [root, greeting] = oids(0, 1) as [string, string];

/** One commit of each sort. The first makes the root object, which the others leave alone. */
export const SCRIPT: readonly Step[] = [
  {
    title: "creates",
    changes: {
      create: [root, greeting, ...oids(2, 3)],
      records: new Map([
        [root, rootRecord("greeting", greeting)],
        [greeting, mappingRecord({ text: "hello" })],
      ]),
    },
  },
  { title: "modifies", changes: { modify: oids(2) } },
  { title: "modifies", changes: { modify: oids(2, 3) } },
  { title: "modifies 2, creates", changes: { modify: oids(2), create: oids(4, 5) } },
  { title: "creates", changes: { create: oids(6) } },
  { title: "deletes", changes: { delete: oids(3) } },
  { title: "copies in", changes: { restore: oids(7) } },
];

/** All that a commit changed: what every other client should be told. In the order of the oids. */
export function changedBy({ create, createWithoutSerial, modify, delete: deleted, restore }: Changes): string[] {
  const all = [create, createWithoutSerial, modify, deleted, restore].flatMap((list) => list ?? []);
  return [...new Set(all)].sort();
}
