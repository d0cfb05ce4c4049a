import { NO_TID, type Tid } from "../wire/ids.ts";
import { allVerify } from "./copied.ts";
import { remember, settledAt } from "./history.ts";
import type { Found, Range } from "./sight.ts";
import { newSettled, NOBODY, type Account, type Item, type Settled, type StorageState } from "./state.ts";
import { NO_CHANGES } from "./transaction.ts";

// What a client missed that has been away for longer than the history reaches back: it is read from the storage, once for all
// who ask, and is history from then on.

/** The tid that a `getInvalidations` is answered with: not below the server's, the one asked for, the session's floor, or what this connection has told. */
export function resumeTid<P>({ rules }: StorageState<P>, account: Account<P>, { asked, answer }: Item<P>): Tid {
  return [
    asked,
    rules.resumeFromFloor ? account.floor : NO_TID,
    rules.resumeFromAnnounced ? account.announced : NO_TID,
    rules.resumeFromShown ? account.shown : NO_TID,
  ].reduce((highest, tid) => (tid > highest ? tid : highest), answer?.tid ?? NO_TID);
}

/** Does its answer wait for what is to be read back? */
export function waitsForPast<P>(state: StorageState<P>, account: Account<P>, { asked }: Item<P>): boolean {
  const { sight, reach, doubted } = state;
  const isReached = reach === undefined || asked >= reach;
  if (isReached || asked < doubted || allVerify(state) || account.past === "tried") return false;
  if (sight.life === "off" || !state.rules.readPast) return false;
  account.past = "wanted";
  account.awaited ??= { look: 0, since: undefined, isLate: false };
  if (sight.back === undefined || asked < sight.back) sight.back = asked;
  return true;
}

/** What is to be read for those who wait; undefined: nothing, or something is being read. */
export function wantedPast<P>({ sight, reach }: StorageState<P>): Range | undefined {
  const { back, reading, life } = sight;
  if (back === undefined || reading !== undefined || life !== "up" || reach === undefined) return undefined;
  return { above: back, upTo: reach };
}

/** It is being read. */
export function beginPast<P>({ sight }: StorageState<P>, range: Range): void {
  sight.reading = range;
  sight.back = undefined;
}

/** It has been read; undefined: it can't be. Whoever waits for it goes on. */
export function pastFound<P>(state: StorageState<P>, found: readonly Found[] | undefined): void {
  const { sight, reach } = state;
  const { reading } = sight;
  sight.reading = undefined;
  // Whoever waits for more than that asks again.
  sight.back = undefined;
  if (reading === undefined) return;
  // Meanwhile some of what it was to be joined to may have been forgotten.
  if (found !== undefined && reach !== undefined && reach <= reading.upTo && reading.above >= state.doubted) {
    for (const one of found) {
      if (one.oids.length > 0 && settledAt(state, one.tid) === undefined) remember(state, past(one));
    }
    state.reach = reading.above;
  }
  for (const account of state.accounts.values()) {
    const waits = account.outbox.some(({ kind, asked }) => kind === "invalidations" && asked >= reading.above);
    if (account.past === "wanted" && waits) account.past = "tried";
  }
}

/** Nobody who is here needs to be told of it. */
function past({ tid, oids }: Found): Settled {
  return newSettled({ tid, order: 0, session: NOBODY, changes: NO_CHANGES, oids, complete: true });
}
