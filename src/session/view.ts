import type { Life } from "./lives.ts";

/** What a session is at a moment, for people. */
export interface SessionView {
  readonly life: Life["is"];
  readonly protocol: string | undefined;
  readonly storage: string | undefined;
  readonly ageMs: number;
  /** Bytes that were read of each. */
  readonly fromClient: number;
  readonly fromServer: number;
  /** Bytes that wait for its client: held messages, and what it has not taken. */
  readonly waiting: number;
  /** Its client's calls that wait for their replies. */
  readonly openCalls: number;
  readonly isFinishing: boolean;
}
