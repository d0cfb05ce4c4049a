import { ANY_TID, NO_TID, type Tid } from "../wire/ids.ts";
import { isCopied, mayLieBelow, wasCopied } from "./copied.ts";
import { namesLast } from "./database.ts";
import { settleForeign } from "./foreign.ts";
import { doubt, highest, readSet, settledAt } from "./history.ts";
import { endAll, endSession } from "./leave.ts";
import { tellLate } from "./late.ts";
import { waitNumber } from "./place.ts";
import { isToldUnknown, readTo, startFrom, wantLook } from "./read-up-to.ts";
import { pumpAll } from "./release.ts";
import type { Found, Look, Range, Sight } from "./sight.ts";
import { NOBODY, type Action, type StorageState } from "./state.ts";

// A look at the database: what is its last transaction, and what stands between that and what is known? It explains what
// did not pass through here.

/** The witness asks for the last transaction, from now on. */
export function beginLook<P>(state: StorageState<P>): void {
  const { sight, proven } = state;
  const number = ++sight.begun;
  sight.look = { number, proven, last: undefined, isSure: false, found: undefined, after: 0, at: 0 };
}

/** The server has named it. Returns what is to be read; undefined: nothing. */
export function lookNames<P>(state: StorageState<P>, last: Tid, actions: Action<P>[]): Range | undefined {
  const { sight } = state;
  const { look, readUpTo } = sight;
  if (look === undefined) return undefined;
  if (namesLast(state, NOBODY, last, look.proven, actions)) {
    sight.look = undefined;
    sight.over = look.number;
    return undefined;
  }
  look.isSure = !mayLieBelow(state, last);
  if (look.isSure && last < sight.toldAbove) sight.toldAbove = last;
  // One that was copied says nothing of those above it. One that is on its way is read, as whose it is may never show.
  if (readUpTo === undefined || last <= readUpTo || wasCopied(state, last)) {
    lookIsOver(state, look, readUpTo ?? last, actions);
    return undefined;
  }
  look.last = last;
  return { above: readUpTo, upTo: last };
}

/** What stands in the range is read. `now`: in ms of the caller's clock. */
export function lookFinds<P>(state: StorageState<P>, found: readonly Found[], now: number, actions: Action<P>[]): void {
  const { look } = state.sight;
  if (look === undefined) return;
  look.found = found;
  look.at = now;
  look.after = state.rules.foreignAfterFinishing ? waitNumber(state, highestUnsettled(state, found)) : 0;
  useLook(state, actions);
}

function highestUnsettled<P>(state: StorageState<P>, found: readonly Found[]): Tid {
  return found.findLast(({ tid }) => settledAt(state, tid) === undefined)?.tid ?? NO_TID;
}

/** There is more in it than may be read: nobody goes on from below it. */
export function lookIsTooMuch<P>(state: StorageState<P>, actions: Action<P>[]): void {
  const { look } = state.sight;
  if (look?.last === undefined) return;
  if (state.reach === undefined || state.reach < look.last) state.reach = look.last;
  // Nor is it tried once more for each of them.
  if (state.doubted < look.last) state.doubted = look.last;
  endAll(state, "unread-commit", look.last, actions);
  lookIsOver(state, look, look.last, actions);
}

/** What was found is used as soon as it is nobody's here who is still finishing: of an own commit only its reply tells whose it is. */
export function useLook<P>(state: StorageState<P>, actions: Action<P>[]): void {
  const { look } = state.sight;
  if (look?.found === undefined || look.last === undefined) return;
  const oldest = state.finishing[0];
  if (look.after !== 0 && oldest !== undefined && oldest.number <= look.after) return;
  const { readUpTo } = state.sight;
  for (const one of look.found) {
    const settled = settledAt(state, one.tid);
    if (settled !== undefined) readSet(state, settled, one.oids);
    // Meanwhile it may have become known without this look, and been forgotten. One that was copied is in no history.
    else if ((readUpTo === undefined || one.tid > readUpTo) && !isCopied(state, one.tid))
      settleForeign(state, one, look.at, actions);
  }
  for (const account of [...state.accounts.values()]) tellLate(state, account, actions);
  lookIsOver(state, look, look.last, actions);
}

function lookIsOver<P>(state: StorageState<P>, { number, isSure }: Look, upTo: Tid, actions: Action<P>[]): void {
  const { sight } = state;
  sight.look = undefined;
  sight.over = number;
  if (isSure) sight.sure = number;
  readTo(state, upTo);
  if (isToldUnknown(state)) sight.isWantedAgain = true;
  pumpAll(state, actions);
}

/** The witness is registered, and the last transaction is that one. */
export function sightUp<P>(state: StorageState<P>, last: Tid, actions: Action<P>[]): void {
  const { sight } = state;
  const wasOff = sight.life === "off";
  sight.life = "up";
  sight.told = [];
  const isSure = !mayLieBelow(state, last);
  if (sight.readUpTo === undefined || wasOff) {
    state.reach ??= last;
    const newest = last > highest(state) ? last : highest(state);
    // While there was none, what did not pass through here was told as the server tells it, or not at all.
    const base = sight.offAt === NO_TID ? state.reach : sight.offAt;
    if (wasOff && (newest > base || !isSure)) {
      if (last > state.known) state.known = last;
      doubt(state);
      endAll(state, "unread-commit", last, actions);
    }
    startFrom(sight, newest);
  }
  sight.toldAbove = isSure ? last : ANY_TID;
  wantLook(sight);
}

/** Its connection has ended; it comes again. */
export function sightAway<P>(state: StorageState<P>, actions: Action<P>[]): void {
  const { sight } = state;
  if (sight.life !== "off") sight.life = "away";
  dropLook(sight);
  pumpAll(state, actions);
}

/** There is none any more, as far as anybody knows. */
export function sightOff<P>(state: StorageState<P>, actions: Action<P>[]): void {
  const { sight } = state;
  const wasOn = sight.life !== "off" && sight.readUpTo !== undefined;
  // What lies above was told as the server tells it, or will be now.
  if (sight.life !== "off") sight.offAt = sight.readUpTo ?? highest(state);
  sight.life = "off";
  dropLook(sight);
  for (const account of [...state.accounts.values()]) {
    const unread = account.outbox.find(({ settled }) => settled?.complete === false);
    if (unread !== undefined) endSession(state, account, "incomplete-undo", unread.tid, actions);
  }
  // Whether these are in the database nobody will read.
  const isInDoubt = state.limbo.some(({ top }) => top === undefined);
  if (wasOn && isInDoubt && state.rules.endOthersInLimbo) endAll(state, "unknown-commit", NO_TID, actions);
  pumpAll(state, actions);
}

function dropLook(sight: Sight): void {
  sight.look = undefined;
  sight.wanted = sight.begun + 1;
  sight.told = [];
  sight.back = undefined;
  sight.reading = undefined;
}
