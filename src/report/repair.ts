import type { Happening } from "../happening/happening.ts";
import type { Repair } from "../ledger/state.ts";
import { difference, intersection, oidCount, type OidSet } from "../ledger/oid-set.ts";
import { ID_BYTES, tidHex, tidTimeMs } from "../wire/ids.ts";

/** A transaction whose invalidation was repaired for at least one client. Told once, when everyone due was told. */
export interface RepairEvent {
  readonly upstream: string;
  readonly storage: string;
  /** Who committed it, `address:port`; undefined where it has left. */
  readonly client: string | undefined;
  /** 16 hex digits. */
  readonly tid: string;
  /** ISO time read from the tid. */
  readonly time: string;
  /** The stronger word where clients differ: `synthesized` is stronger than `completed`. */
  readonly repair: Repair;
  /** How many oids of each sort were added to what the server said. */
  readonly created: number;
  readonly restored: number;
  readonly deleted: number;
  /** The added oids as 16 hex digits, at most `log.oids` of them. */
  readonly oids: readonly string[];
  /** How many clients got which. */
  readonly completed: number;
  readonly synthesized: number;
}

export function repairOf(
  { upstream, storage, client, settled }: Extract<Happening, { what: "repaired" }>,
  maxOids: number,
): RepairEvent {
  const { tid, changes, completed, synthesized } = settled;
  // What no message of the server's named; all of it where the server sent none.
  const added = settled.added ?? settled.oids;
  const { restored, deleted } = changes;
  return {
    upstream,
    storage,
    client,
    tid: tidHex(tid),
    time: new Date(tidTimeMs(tid)).toISOString(),
    repair: synthesized > 0 ? "synthesized" : "completed",
    created: oidCount(intersection(changes.created, added)),
    restored: oidCount(intersection(difference(restored, changes.created), added)),
    deleted: oidCount(intersection(difference(deleted, changes.created), added)),
    oids: hexOids(added, maxOids),
    completed,
    synthesized,
  };
}

function hexOids(oids: OidSet, most: number): string[] {
  const hex: string[] = [];
  for (let at = 0; at < oids.length && hex.length < most; at += ID_BYTES)
    hex.push(oids.toString("hex", at, at + ID_BYTES));
  return hex;
}
