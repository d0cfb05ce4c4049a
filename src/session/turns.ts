import type { SessionEnd } from "../happening/ends.ts";
import type { Party } from "./connection.ts";

/** `behind`: what was written before still goes out. */
export type How = "at-once" | "behind";

/** What is found in the frames, or decided by the ledger, that concerns the whole session. */
export interface Turns {
  /** `register` has come: `forward` is called when it may be forwarded, at once or later. */
  register(storage: string, forward: () => void): void;
  /** It failed: the client may try again. */
  unregister(): void;
  /** That party's frames have MACs: nothing can be repaired. */
  foundMac(sender: Party): void;
  end(end: SessionEnd, how: How): void;
  /** The ledger has done with that end. */
  done(party: Party): void;
  /** Something has changed that may decide whether the server's connection is read, or the client's end passed on. */
  look(): void;
}
