import { describe, expect, it } from "vitest";
import { needs, noLongerOwed, nowOwed } from "../../src/ledger/owed.ts";
import { NO_OIDS } from "../../src/ledger/oid-set.ts";
import { newAccount, newState, type Action, type Settled } from "../../src/ledger/state.ts";
import { asTid } from "../../src/wire/ids.ts";
import { connected, numbers } from "./script.ts";
import { settled } from "./settled.ts";

/** A commit that was repaired for somebody and is owed to these. */
function owedTo(...sessions: number[]): Settled {
  const one = settled(5, [4], { synthesized: 1 });
  for (const session of sessions) nowOwed(one, session);
  return one;
}

/** What is to be done when these sessions, one after the other, are owed no more. */
function paid(one: Settled, ...sessions: number[]): Action<string>[] {
  const actions: Action<string>[] = [];
  for (const session of sessions) noLongerOwed(one, session, actions);
  return actions;
}

describe("what is owed", () => {
  it("is repaired once the last session is owed no more, and that is said once", () => {
    const one = owedTo(2, 3);
    expect(paid(one, 2)).toEqual([]);
    const then = { ...one, owed: undefined };
    expect(paid(one, 3)).toEqual([{ do: "repaired", settled: then }]);
    expect(paid(one, 3, 2)).toEqual([]);
  });

  it("may be paid twice: nobody else is forgotten for it", () => {
    const one = owedTo(2, 3);
    expect(paid(one, 2, 2, 2)).toEqual([]);
    expect([...(one.owed ?? [])]).toEqual([3]);
    expect(paid(one, 3)).toHaveLength(1);
  });

  it("may be owed twice: one payment settles it", () => {
    const one = owedTo(2, 2);
    expect(paid(one, 2)).toHaveLength(1);
    expect(one.owed).toBeUndefined();
  });

  it("may be paid by a session that was never owed anything", () => {
    const one = owedTo(2);
    expect(paid(one, 7)).toEqual([]);
    expect([...(one.owed ?? [])]).toEqual([2]);
    expect(paid(settled(5, [4], { completed: 1 }), 7)).toEqual([]);
  });

  it("is no repair where nobody's message was repaired", () => {
    const one = settled(5);
    nowOwed(one, 2);
    expect(paid(one, 2)).toEqual([]);
    expect(one.owed).toBeUndefined();
  });

  it("keeps the messages of the commit only as long as somebody needs them", () => {
    const one = owedTo(2, 3);
    one.madeUp = { tid: one.tid, oids: one.oids };
    one.lastOwn = { args: { tid: one.tid, oids: one.oids }, announcement: undefined };
    paid(one, 2);
    expect([one.madeUp, one.lastOwn]).not.toContain(undefined);
    paid(one, 3);
    expect([one.madeUp, one.lastOwn]).toEqual([undefined, undefined]);
  });

  it("is known in all its parts only as long: then its tid and all its oids are left", () => {
    const s = connected("new");
    s.finishing(1, { created: [5], modified: [4] });
    s.finishReply(1, 1);
    const [one] = s.ledger.state.history;
    expect(one?.changes.created.length).toBe(8);
    s.invalidation(2, 1, [4]);
    expect(one).toMatchObject({ changes: { created: NO_OIDS, oids: NO_OIDS }, added: NO_OIDS, complete: true });
    expect(numbers(one?.oids ?? NO_OIDS)).toEqual([4, 5]);
    // And so where there is nobody else.
    s.gone(2);
    s.finishing(1, { created: [6] });
    s.finishReply(1, 2);
    expect(s.ledger.state.history.at(-1)).toMatchObject({ changes: { oids: NO_OIDS }, added: undefined });
  });
});

describe("a session needs to hear of a commit", () => {
  const state = newState<string>("new");
  const other = newAccount(2, state);

  it("of others, that settled after its register was forwarded", () => {
    expect(needs(state, other, settled(5))).toBe(true);
    expect(needs(state, other, settled(5, [4], { session: 2 }))).toBe(false);
    expect(needs(state, { ...other, registered: { order: 5, proven: asTid(5n) } }, settled(5))).toBe(false);
  });

  it("new: above the tid that its register reply showed, once that was read", () => {
    const floor = { ...other, floor: asTid(5n) };
    expect(needs(state, { ...floor, phase: "registering" }, settled(5))).toBe(true);
    expect(needs(state, { ...floor, phase: "registered" }, settled(5))).toBe(false);
    expect(needs(state, { ...floor, phase: "registered" }, settled(5, [4], { tid: asTid(6n) }))).toBe(true);
    expect(needs(newState("old"), { ...floor, phase: "registered" }, settled(5))).toBe(true);
  });
});

it("a repair is logged once, whether the last one is told or leaves, and however late others leave", () => {
  const s = connected("old", [1, 2, 3]);
  s.finishing(1, { created: [5] });
  s.finishReply(1, 1);
  const told = [...s.questionReply(2, 1), ...s.gone(2), ...s.gone(3), ...s.gone(1)];
  expect(told.filter((line) => line.startsWith("log"))).toEqual(["log T1: 0 completed, 1 made up"]);
});
