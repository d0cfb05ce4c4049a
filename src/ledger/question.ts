import { stampOf, type Account, type Action, type StorageState } from "./state.ts";

// While a client is idle, nothing that could prove anything is on its way. Then the proxy asks for the last transaction
// itself. The reply proves what it shows (old servers), or what had settled when it was asked for (new ones). A question
// too many costs a message; one that is not asked leaves a client untold.

/** What has been due for so long is asked for. When to ask is all that time decides. */
export const QUESTION_AFTER_MS = 1000;

/** A silent commit's message will never come, and only evidence tells: ask at once. */
export function askIfSilent<P>(state: StorageState<P>, account: Account<P>, actions: Action<P>[]): void {
  // Asked already, it is not looked for among all that is due. The last one is mostly that which has just settled.
  if (state.server !== "old" || !mayAsk(account)) return;
  if (account.due.findLast((due) => due.settled.changes.silent) !== undefined) ask(state, account, actions);
}

/** Asks on every connection on which something has been due for a while. */
export function askOverdue<P>(state: StorageState<P>, now: number, actions: Action<P>[]): void {
  for (const account of state.accounts.values()) {
    if (!mayAsk(account)) continue;
    if (account.due.some((due) => due.since + QUESTION_AFTER_MS <= now)) ask(state, account, actions);
  }
}

function mayAsk<P>(account: Account<P>): boolean {
  return account.phase === "registered" && account.question === undefined;
}

function ask<P>(state: StorageState<P>, account: Account<P>, actions: Action<P>[]): void {
  if (!state.rules.question || !mayAsk(account)) return;
  account.question = stampOf(state);
  actions.push({ do: "ask", session: account.number });
}
