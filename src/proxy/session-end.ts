/** Why the proxy itself ended a session. */
export interface SessionEnd {
  /** Stable, for logs and counters: an `EndCode` of the ledger, a `GuardCode`, a `ProtocolError`'s code, ... */
  readonly code: string;
  readonly fault: "client" | "server" | "proxy";
  /** For people; never payload. */
  readonly detail: string;
  /** Of the stream at fault, in bytes. */
  readonly offset?: number;
  readonly expected?: string;
  /** An error that nobody has foreseen. */
  readonly cause?: unknown;
}
