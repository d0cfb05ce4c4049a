/** What a scenario did in a slice of time. */
export interface Measured {
  readonly seconds: number;
  /** What it counts: loads, commits, MiB. */
  readonly amount: number;
  /** Messages in both directions, between the clients and what they are connected to. */
  readonly messages: number;
  /** How long what was asked for took, in ms, ascending. Of many only some, evenly chosen. */
  readonly waits: readonly number[];
  /** How many announcements a relay that repairs must have repaired. */
  readonly repairable?: number;
}

/** Clients that are connected and wait. */
export interface Prepared {
  /** Works for about so long, and at least once. */
  run(ms: number): Promise<Measured>;
  close(): void;
}
