import type { Tid } from "../wire/ids.ts";
import { settledAt } from "./history.ts";
import { needs } from "./place.ts";
import { told } from "./release.ts";
import type { Action, EndCode, Session, StorageState } from "./state.ts";

/** Is a `tpc_finish` of this session on its way? */
export function isFinishing<P>(state: StorageState<P>, session: number): boolean {
  return state.finishing.some((commit) => commit.session === session);
}

/** The client is gone, or as good as gone: nothing more is told to it, and nobody waits until it is told. */
export function leave<P>(state: StorageState<P>, session: Session<P>, actions: Action<P>[]): void {
  const { due, outbox } = session;
  session.due = [];
  session.outbox = [];
  session.heldBytes = 0;
  session.transactions = [];
  if (isFinishing(state, session.number) && state.rules.readOrphans) session.phase = "orphaned";
  else state.sessions.delete(session.number);
  for (const { settled } of due) told(settled, actions);
  for (const item of outbox) {
    if (item.kind !== "invalidation") continue;
    const settled = item.settled ?? settledAt(state, item.tid);
    if (settled !== undefined && needs(state, session, settled)) told(settled, actions);
  }
}

/** The proxy's last resort: the client connects again and verifies its cache. */
export function endSession<P>(
  state: StorageState<P>,
  session: Session<P>,
  code: EndCode,
  tid: Tid,
  actions: Action<P>[],
): void {
  if (session.phase === "orphaned" || !state.sessions.has(session.number)) return;
  actions.push({ do: "end", session: session.number, code, tid });
  leave(state, session, actions);
}

/** The server has ended the connection, and the client can't be told the rest: its connection ends without it. */
export function closeAtOnce<P>(state: StorageState<P>, session: Session<P>, actions: Action<P>[]): void {
  leave(state, session, actions);
  actions.push({ do: "close-client", session: session.number });
}

export function endOthers<P>(
  state: StorageState<P>,
  except: number,
  code: EndCode,
  tid: Tid,
  actions: Action<P>[],
): void {
  for (const session of [...state.sessions.values()]) {
    if (session.number !== except) endSession(state, session, code, tid, actions);
  }
}
