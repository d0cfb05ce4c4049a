import { oidCount } from "../ledger/oid-set.ts";
import { NOBODY, type Settled } from "../ledger/state.ts";
import { HoldTimes } from "./hold-times.ts";

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
  readonly held = new HoldTimes();

  /** Everyone who was due has been told. */
  settled({ session, completed, synthesized, added, oids }: Settled): void {
    const source = session === NOBODY ? "foreign" : "client";
    this.repaired[source]++;
    this.completed[source] += completed;
    this.synthesized[source] += synthesized;
    this.oidsAdded += oidCount(added ?? oids);
  }
}
