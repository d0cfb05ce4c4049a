import type { Happening } from "../happening/happening.ts";
import { NOBODY, type Repair, type Settled } from "../ledger/state.ts";
import { difference, intersection, NO_OIDS, oidCount, type OidSet } from "../ledger/oid-set.ts";
import { ID_BYTES, tidHex } from "../wire/ids.ts";
import { tidTime } from "./tid-time.ts";

/** A transaction whose invalidation was repaired for at least one client. Told once, when everyone due was told. */
export interface RepairEvent {
  readonly upstream: string;
  readonly storage: string;
  /** Who committed it, `address:port`; undefined where it has left. */
  readonly client: string | undefined;
  /** `foreign`: it did not pass through here; its oids were read from the storage. */
  readonly source: "client" | "foreign";
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

/** What of a repair is told. Asked for with each, as it may change. */
export interface RepairLines {
  /** At most so many oids are named. */
  readonly oids: number;
  /** `summary`: no line for each; `RepairSummary` writes theirs. */
  readonly repairs: "each" | "summary";
}

export function repairOf(
  { upstream, storage, client, settled }: Extract<Happening, { what: "repaired" }>,
  maxOids: number,
): RepairEvent {
  const { tid, completed, synthesized } = settled;
  return {
    upstream,
    storage,
    client,
    source: settled.session === NOBODY ? "foreign" : "client",
    tid: tidHex(tid),
    time: tidTime(tid),
    repair: synthesized > 0 ? "synthesized" : "completed",
    ...addedCounts(settled),
    oids: hexOids(addedOids(settled), maxOids),
    completed,
    synthesized,
  };
}

/** What no message of the server's named; all of it where the server sent none. */
function addedOids({ added, oids }: Settled): OidSet {
  return added ?? oids;
}

/** How many oids of each sort were added to what the server said. */
export function addedCounts(settled: Settled): Pick<RepairEvent, "created" | "restored" | "deleted"> {
  const added = addedOids(settled);
  const { created, restored, deleted } = settled.changes;
  return {
    created: countOf(created, NO_OIDS, added),
    restored: countOf(restored, created, added),
    deleted: countOf(deleted, created, added),
  };
}

/** How many of these are not in `but`, and in `added`. Most transactions have none of one sort or the other. */
function countOf(oids: OidSet, but: OidSet, added: OidSet): number {
  if (oids.length === 0 || added.length === 0) return 0;
  return oidCount(intersection(but.length === 0 ? oids : difference(oids, but), added));
}

const HEX_DIGITS = 2 * ID_BYTES;

function hexOids(oids: OidSet, most: number): string[] {
  const digits = oids.toString("hex", 0, most * ID_BYTES);
  const hex: string[] = [];
  for (let at = 0; at < digits.length; at += HEX_DIGITS) hex.push(digits.slice(at, at + HEX_DIGITS));
  return hex;
}
