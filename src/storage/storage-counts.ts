import { oidCount } from "../ledger/oid-set.ts";
import { NOBODY, type Settled } from "../ledger/state.ts";
import { Histogram } from "./histogram.ts";

/** Upper bounds in ms: from what nobody feels to what ends sessions. */
export const HOLD_BOUNDS_MS = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

/** Of transactions that somebody here committed, and of those that were read from the storage. */
export class BySource {
  client = 0;
  foreign = 0;
}

/** What is counted of one storage since its first session: plain numbers, counted when it happens. */
export class StorageCounts {
  /** Transactions that were repaired for at least one client, once everyone due was told; and the oids that were added to them. */
  readonly repaired = new BySource();
  oidsAdded = 0;
  /** Clients that were told of one with oids added, and without any message of the server's. */
  readonly completed = new BySource();
  readonly synthesized = new BySource();
  /** Invalidations that were written under a later tid. */
  late = 0;
  /** `getInvalidations` that were answered with more than the server said; and with None. */
  resumed = 0;
  resumesRefused = 0;
  /** Answers of an old server's to reads that were repaired. */
  oldAnswers = 0;
  /** The proxy's own questions. */
  questions = 0;
  /** For how long messages were held that were, in ms. */
  readonly held = new Histogram(HOLD_BOUNDS_MS);

  /** Everyone who was due has been told. */
  settled({ session, completed, synthesized, added, oids }: Settled): void {
    const source = session === NOBODY ? "foreign" : "client";
    this.repaired[source]++;
    this.completed[source] += completed;
    this.synthesized[source] += synthesized;
    this.oidsAdded += oidCount(added ?? oids);
  }
}
