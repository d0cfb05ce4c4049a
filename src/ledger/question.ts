import type { Action, Session, StorageState } from "./state.ts";

/** What has been due for so long is asked for. When to ask is all that time decides. */
export const QUESTION_AFTER_MS = 1000;

/** A silent commit's message will never come, and only evidence tells: ask at once. */
export function askIfSilent<P>(state: StorageState<P>, session: Session<P>, actions: Action<P>[]): void {
  if (state.server === "old" && session.due.some((due) => due.settled.changes.silent)) ask(state, session, actions);
}

/** Asks on every connection on which something has been due for a while. */
export function askOverdue<P>(state: StorageState<P>, now: number, actions: Action<P>[]): void {
  for (const session of state.sessions.values()) {
    if (session.due.some((due) => due.since + QUESTION_AFTER_MS <= now)) ask(state, session, actions);
  }
}

/** When `askOverdue` is to be called next; undefined: nothing is due that has not been asked for. */
export function nextQuestion<P>(state: StorageState<P>): number | undefined {
  let next: number | undefined;
  for (const session of state.sessions.values()) {
    if (!mayAsk(session)) continue;
    for (const due of session.due) {
      if (next === undefined || due.since + QUESTION_AFTER_MS < next) next = due.since + QUESTION_AFTER_MS;
    }
  }
  return next;
}

function mayAsk<P>(session: Session<P>): boolean {
  return session.phase === "registered" && !session.question;
}

function ask<P>(state: StorageState<P>, session: Session<P>, actions: Action<P>[]): void {
  if (!state.rules.question || !mayAsk(session)) return;
  session.question = true;
  actions.push({ do: "ask", session: session.number });
}
