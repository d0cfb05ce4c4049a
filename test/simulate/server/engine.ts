import type { ServerConn } from "./conn.ts";

/** In which order a server does what it does: by threads, or in a loop. */
export interface Engine {
  /** There are requests in its inbox. */
  arrived(conn: ServerConn): void;
  /** Nobody has the lock any more. */
  lockIsFree(): void;
  /** An invalidation for each of these. */
  tell(conns: readonly ServerConn[], write: (conn: ServerConn) => void): void;
  soon(work: () => void): void;
  stop(): void;
}
