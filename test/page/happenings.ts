import type { Happening } from "../../src/happening/happening.ts";
import { oidSet } from "../../src/ledger/oid-set.ts";
import { changesOf, newTransaction, type Changes } from "../../src/ledger/transaction.ts";
import { packed } from "../ledger/script.ts";
import { settled, tidOf } from "../ledger/settled.ts";

export const place = { upstream: "main", storage: "1", client: "127.0.0.1:5" };

type Of<What extends Happening["what"]> = Extract<Happening, { what: What }>;

export function changes(sorts: Partial<Record<"created" | "restored" | "deleted" | "oids", number[]>>): Changes {
  const { created = [], restored = [], deleted = [], oids = [] } = sorts;
  const set = (...numbers: number[]): Buffer => oidSet(packed(numbers));
  return {
    ...changesOf(newTransaction(1)),
    created: set(...created),
    restored: set(...restored),
    deleted: set(...deleted),
    oids: set(...oids, ...created, ...restored, ...deleted),
  };
}

/** At tid `n`. */
export function committed(n: number, sorts: Parameters<typeof changes>[0] = { oids: [n] }): Of<"committed"> {
  return { what: "committed", tid: tidOf(n), changes: changes(sorts), ...place };
}

/** The commit at tid `n` that created these, which were added for two clients. */
export function repaired(n: number, created: number[]): Of<"repaired"> {
  const its = changes({ created });
  return {
    what: "repaired",
    settled: settled(n, created, { changes: its, added: its.oids, completed: 1, synthesized: 1 }),
    ...place,
  };
}

export function foreign(n: number, oids: number[] | undefined): Of<"foreign"> {
  const read = oids === undefined ? undefined : oidSet(packed(oids));
  return { what: "foreign", tid: tidOf(n), isRead: read !== undefined, oids: read, ...place, client: undefined };
}
