import type { Tid } from "../wire/ids.ts";
import type { Item, Session, Settled, StorageState } from "./state.ts";

/**
 * The number of the newest finishing commit whose tid may lie at `tid` or below; 0: there is none. Bases grow with
 * the numbers (a copied transaction apart, where this waits for too many), so one number stands for a set.
 */
export function waitNumber<P>(state: StorageState<P>, tid: Tid): number {
  if (!state.rules.holdEvidence) return 0;
  for (let i = state.finishing.length - 1; i >= 0; i--) {
    const commit = state.finishing[i];
    if (commit !== undefined && commit.base < tid) return commit.number;
  }
  return 0;
}

/** Must the session hear of it? It has not been told of it while it is due, or its message is in the outbox. */
export function needs<P>(state: StorageState<P>, session: Session<P>, settled: Settled): boolean {
  return (
    settled.session !== session.number &&
    session.registerOrder < settled.order &&
    (state.server === "old" ||
      session.phase === "registering" ||
      !state.rules.registerCovers ||
      settled.tid > session.floor)
  );
}

export function push<P>(session: Session<P>, item: Item<P>): void {
  session.outbox.push(item);
  session.heldBytes += item.bytes;
}

/** An invalidation goes before the first message that shows its tid or a later one, but never before `register`'s reply. */
export function place<P>(state: StorageState<P>, session: Session<P>, item: Item<P>): void {
  const at = state.rules.moveAhead ? session.outbox.findIndex((other) => isEvidence(state, other, item.tid)) : -1;
  if (at < 0) push(session, item);
  else insert(session, at, item);
}

/** The `register` reply goes before what an old server announced ahead of it. */
export function placeRegister<P>(state: StorageState<P>, session: Session<P>, item: Item<P>): void {
  const at = session.outbox.findIndex((other) => other.kind === "invalidation");
  if (at < 0 || !state.rules.registerFirst) push(session, item);
  else insert(session, at, item);
}

function insert<P>(session: Session<P>, at: number, item: Item<P>): void {
  session.outbox.splice(at, 0, item);
  session.heldBytes += item.bytes;
}

function isEvidence<P>(state: StorageState<P>, item: Item<P>, tid: Tid): boolean {
  if (item.kind === "register") return false;
  return item.kind === "grant" ? state.rules.grantIsEvidence : item.tid >= tid;
}

/**
 * Does the outbox prove that the server's own message of `tid`, which has just settled, will not come? On an old
 * server whatever shows it or a later one does, on a new one only a message of a later tid.
 */
export function provenInOutbox<P>(state: StorageState<P>, session: Session<P>, tid: Tid): boolean {
  return session.outbox.some((item) =>
    state.server === "old"
      ? item.exact && isEvidence(state, item, tid)
      : item.kind === "invalidation" && item.tid > tid,
  );
}
