/** The storage of the stand-in server whose commits take some time, as on a disk. */
export const SLOW_STORAGE = "slow";
/** The one whose commits take none. */
export const QUICK_STORAGE = "quick";

/** What a scenario did. */
export interface Measured {
  readonly seconds: number;
  /** What it counts: loads, commits, MiB. */
  readonly amount: number;
  /** Messages in both directions, between the clients and what they are connected to. */
  readonly messages: number;
  /** The 99th percentile of what it asks, in ms, where that is what it is about. */
  readonly p99Ms?: number;
  /** How many announcements a relay that repairs must have repaired. */
  readonly repairable?: number;
}

/** Clients that are connected and wait. */
export interface Prepared {
  /** Works for about so long. */
  run(ms: number): Promise<Measured>;
  close(): void;
}
