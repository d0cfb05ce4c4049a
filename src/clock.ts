/** The time, and what is to be done later. A room that needs it gets one: real in the proxy, simulated in tests. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `work` once, no sooner than in `ms`. Returns what cancels it. */
  after(ms: number, work: () => void): () => void;
}
