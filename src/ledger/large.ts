import type { Tid } from "../wire/ids.ts";
import { endSession, isFinishing } from "./leave.ts";
import { waitsForCommits } from "./release.ts";
import type { Account, Action, StorageState } from "./state.ts";

// A reply that is too large to be kept flows on before it is whole, though something is owed to its client. What it shows
// stands in its last bytes. So it waits, unread, for all that is finishing and that it may show; then nothing that is
// finishing can be in it, and its last bytes are compared with what is due.

/**
 * - `flow`: it may, but for its last bytes.
 * - `wait`: the server's connection is left unread, and it is asked again.
 * - `hold`: what stands before it waits for something that the server writes behind it, so it must be read.
 */
export type Large = "flow" | "wait" | "hold";

/** `arrived`: the number of the newest commit that was finishing when its first bytes were read. */
export function mayFlow<P>(state: StorageState<P>, account: Account<P>, arrived: number): Large {
  const finishes = isFinishing(state, account.number);
  const [first] = account.outbox;
  if (first !== undefined) return !finishes && waitsForCommits(state, first) ? "wait" : "hold";
  const others = state.finishing.some(({ number, session }) => number <= arrived && session !== account.number);
  if (!others) return "flow";
  return finishes ? "hold" : "wait";
}

/** Its last bytes show `tid`, and nothing can go before it any more. Returns whether they may go out. */
export function mayEnd<P>(state: StorageState<P>, account: Account<P>, tid: Tid, actions: Action<P>[]): boolean {
  const [lowest] = account.due;
  if (lowest === undefined || lowest.settled.tid > tid) return true;
  endSession(state, account, "reply-too-early", lowest.settled.tid, actions);
  return false;
}
