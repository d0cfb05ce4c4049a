import { asTid, type Tid } from "../wire/ids.ts";
import { completion, madeUp, settledAt } from "./history.ts";
import { merge } from "./merge.ts";
import { difference, oidSet } from "./oid-set.ts";
import { needs } from "./place.ts";
import type { Action, Announcement, Item, Session, Settled, StorageState } from "./state.ts";

/** May the message not go out yet, when it is the first? */
function isHeld<P>(state: StorageState<P>, session: Session<P>, item: Item<P>): boolean {
  if (waitsForCommits(state, item)) return true;
  switch (item.kind) {
    case "plain":
    case "register":
      return false;
    case "invalidation":
      return session.phase === "registering" && state.rules.registerFirst;
    case "reply":
    case "invalidations":
      return state.rules.waitForDue && isDueUpTo(session, item.tid);
    case "grant":
      return state.rules.waitForDue && state.rules.grantIsEvidence && session.due.length > 0;
  }
}

function waitsForCommits<P>(state: StorageState<P>, item: Item<P>): boolean {
  const oldest = state.finishing[0];
  return item.after !== 0 && oldest !== undefined && oldest.number <= item.after;
}

function isDueUpTo<P>(session: Session<P>, tid: Tid): boolean {
  const lowest = session.due[0];
  return lowest !== undefined && lowest.settled.tid <= tid;
}

/** Hands out what may go out, in order. */
export function pump<P>(state: StorageState<P>, session: Session<P>, actions: Action<P>[]): void {
  let gone = 0;
  for (const item of session.outbox) {
    if (isHeld(state, session, item)) break;
    gone++;
    session.heldBytes -= item.bytes;
    release(state, session, item, actions);
  }
  if (gone > 0) session.outbox.splice(0, gone);
  if (session.phase === "closing" && session.outbox.length === 0) {
    actions.push({ do: "close-client", session: session.number });
    state.sessions.delete(session.number);
  }
}

export function pumpAll<P>(state: StorageState<P>, actions: Action<P>[]): void {
  for (const session of [...state.sessions.values()]) {
    if (session.outbox.length > 0 || session.phase === "closing") pump(state, session, actions);
  }
}

function release<P>(state: StorageState<P>, session: Session<P>, item: Item<P>, actions: Action<P>[]): void {
  const { payload } = item;
  switch (item.kind) {
    case "invalidation":
      releaseInvalidation(state, session, item, actions);
      return;
    case "invalidations":
      if (payload !== undefined) merge(state, session, item, payload, actions);
      return;
    case "plain":
    case "register":
    case "reply":
    case "grant":
      if (item.exact) show(session, item.tid);
      if (payload !== undefined) actions.push({ do: "forward", session: session.number, payload });
  }
}

function show<P>(session: Session<P>, tid: Tid): void {
  if (tid > session.shown) session.shown = tid;
}

function releaseInvalidation<P>(
  state: StorageState<P>,
  session: Session<P>,
  item: Item<P>,
  actions: Action<P>[],
): void {
  const settled = item.settled ?? settledAt(state, item.tid);
  session.announced = item.tid;
  if (item.own === undefined) {
    if (settled === undefined) return;
    announce(session, "synthesized", madeUp(settled), undefined, actions);
    settled.synthesized++;
    told(settled, actions);
    return;
  }
  const announcement =
    settled === undefined
      ? foreign(state, item.tid, item.own.oids, actions)
      : state.rules.complete
        ? completion(state, settled, item.own)
        : undefined;
  if (announcement === undefined) {
    if (item.payload !== undefined) actions.push({ do: "forward", session: session.number, payload: item.payload });
  } else {
    announce(session, "completed", announcement, item.payload, actions);
    if (settled !== undefined) settled.completed++;
  }
  if (settled !== undefined && needs(state, session, settled)) told(settled, actions);
}

function announce<P>(
  session: Session<P>,
  repair: "completed" | "synthesized",
  announcement: Announcement,
  payload: P | undefined,
  actions: Action<P>[],
): void {
  actions.push({ do: "announce", session: session.number, repair, announcement, payload });
}

/** A tid that nobody here committed: as the server tells it, and with the oids of commits whose fate is unknown. */
function foreign<P>(state: StorageState<P>, tid: Tid, oids: Buffer, actions: Action<P>[]): Announcement | undefined {
  if (tid > state.foreign) {
    state.foreign = asTid(tid);
    state.foreignCount++;
    actions.push({ do: "foreign", tid });
  }
  const { limbo } = state;
  if (limbo === undefined || tid <= limbo.base || !state.rules.addLimbo) return undefined;
  const missing = difference(limbo.oids, oidSet(oids));
  return missing.length === 0 ? undefined : { tid, oids: Buffer.concat([oids, missing]) };
}

/** One session fewer is to be told. */
export function told<P>(settled: Settled, actions: Action<P>[]): void {
  settled.waiting--;
  if (settled.waiting > 0) return;
  if (settled.completed + settled.synthesized > 0) actions.push({ do: "repaired", settled });
  // Nobody needs them again: of a large commit they are large.
  settled.lastOwn = undefined;
  settled.madeUp = undefined;
}
