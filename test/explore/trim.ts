import { settledBytes } from "../../src/ledger/history.ts";
import { StorageLedger } from "../../src/ledger/ledger.ts";
import { isAllKnown } from "../../src/ledger/read-up-to.ts";
import type { Action, StorageState } from "../../src/ledger/state.ts";
import { tid } from "./message.ts";

/** What is wrong with it, so that a test can show what each world is for. */
export type TrimMistake =
  /** It does not wait while something is read back that is to be joined to what goes. */
  | "reads on"
  /** It does not wait for the look that is to see whose the commit is. */
  | "looks on"
  /** The reach stays where it was, */
  | "no reach"
  /** as long as an answer to `getInvalidations` is held. */
  | "no reach for who waits"
  /** Who is owed too much is not ended. */
  | "keeps all";

/** What is owed is given up where more than this is behind it: the worlds' commits are small, and are to count as large. */
const MUCH_BYTES = 10_000;

/** The history comes down to so many commits, the newest ones. */
export function trimTo<P>(state: StorageState<P>, kept: number, mistake?: TrimMistake): Action<P>[] {
  const { reach, sight } = state;
  const { reading, readUpTo } = sight;
  const isHeld = [...state.accounts.values()].some(({ outbox }) => outbox.some(({ kind }) => kind === "invalidations"));
  if (mistake === "reads on") sight.reading = undefined;
  if (mistake === "looks on") sight.readUpTo = tid(63);
  const newest = state.history.slice(state.history.length - kept);
  const bytes = newest.reduce((sum, settled) => sum + settledBytes(settled), 0);
  state.historyBytes += MUCH_BYTES;
  const ledger = new StorageLedger(state, MUCH_BYTES + bytes);
  if (mistake !== "keeps all" || state.history[0]?.owed === undefined) ledger.giveUpSlow();
  state.historyBytes -= MUCH_BYTES;
  if (mistake === "reads on") sight.reading = reading;
  if (mistake === "looks on") sight.readUpTo = readUpTo;
  if (mistake === "no reach" || (mistake === "no reach for who waits" && isHeld)) state.reach = reach;
  return ledger.take();
}

/** Is there more in it now than must be? What somebody is owed stays, as long as no more than `kept` are behind it. */
export function isTooMuch<P>(state: StorageState<P>, kept: number): boolean {
  const { history, sight } = state;
  const [oldest] = history;
  if (oldest === undefined || sight.reading !== undefined || sight.back !== undefined) return false;
  return isAllKnown(state, oldest.tid) && history.length > (oldest.owed === undefined ? kept : kept + 1);
}
