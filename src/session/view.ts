import type { Party } from "./connection.ts";
import type { Life } from "./lives.ts";

/** A session as others see it, in passing. */
export interface SessionView {
  /** `address:port` */
  readonly client: string;
  readonly server: string;
  readonly life: Life["is"];
  /** Its bytes are relayed as they come, and followed aside. */
  readonly isObserved: boolean;
  readonly protocol: string | undefined;
  readonly storage: string | undefined;
  readonly ageMs: number;
  /** Bytes that were read from each. */
  readonly received: Readonly<Record<Party, number>>;
  /** Bytes that each has taken, as far as its system tells. */
  readonly sent: Readonly<Record<Party, number>>;
  /** Bytes that were written to its client and that this has not taken. */
  readonly waitingBytes: number;
  /** Messages that are held for it. */
  readonly held: number;
  readonly heldBytes: number;
  /** Is a `tpc_finish` of its client's on the way? */
  readonly isFinishing: boolean;
  /** Calls of its that wait for their replies. */
  readonly calls: number;
  /** Invalidations that were written to its client and that the proxy has changed or made. */
  readonly repairs: number;
}
