import type { Way } from "../ways.ts";

/** Where a scenario's clients connect. */
export interface Place {
  readonly way: Way;
  readonly port: number;
  /** The server's own: who writes there passes the relay by. */
  readonly serverPort: number;
}
