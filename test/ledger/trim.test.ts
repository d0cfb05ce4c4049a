import { describe, expect, it } from "vitest";
import { settledBytes } from "../../src/ledger/history.ts";
import { NO_OIDS, oidSet } from "../../src/ledger/oid-set.ts";
import { newAccount, type Action, type Limbo } from "../../src/ledger/state.ts";
import { trim } from "../../src/ledger/trim.ts";
import { connected, packed, Script } from "./script.ts";
import { history, settled, tidOf } from "./settled.ts";

function limbo(rest: Partial<Limbo>): Limbo {
  return { number: 1, oids: oidSet(packed([7])), base: tidOf(1), open: false, since: 0, top: undefined, ...rest };
}

describe("settled commits", () => {
  it("go with the oldest first, and the reach moves", () => {
    const state = history(settled(2), settled(5), settled(9));
    const all = state.historyBytes;
    trim(state, all, true, []);
    expect(state.history).toHaveLength(3);
    trim(state, all - 1, true, []);
    expect(state.history.map((one) => one.tid)).toEqual([5n, 9n]);
    expect(state.reach).toBe(2n);
    trim(state, 0, true, []);
    expect(state.historyBytes).toBe(0);
    expect(state.reach).toBe(9n);
  });

  it("stay while somebody is still to be told of them", () => {
    const state = history(settled(2), settled(5, [5], { owed: new Set([3]) }), settled(9));
    trim(state, 0, true, []);
    expect(state.history.map((one) => one.tid)).toEqual([5n, 9n]);
  });

  it("of whom there are many go in portions, and nobody who is owed one is ended for that", () => {
    const owed = new Set([3]);
    const state = history(...Array.from({ length: 3_000 }, (_, n) => settled(n + 1)));
    const all = state.historyBytes;
    trim(state, all, true, []);
    expect(state.history).toHaveLength(3_000);
    trim(state, all - 1, true, []);
    // A 64th more than need be.
    expect(state.history).toHaveLength(3_000 - 47);
    expect(state.reach).toBe(47n);
    const [oldest] = state.history;
    if (oldest === undefined) throw new Error("nothing is left");
    state.history[0] = { ...oldest, owed };
    state.accounts.set(3, newAccount(3, state));
    const actions: Action<string>[] = [];
    trim(state, state.historyBytes - 1, true, actions);
    expect(actions).toEqual([]);
    expect(state.history[0]?.owed).toBe(owed);
  });

  it("leave room for what was missed by who has left", () => {
    const state = history(settled(2), settled(5));
    const all = state.historyBytes;
    state.sight.missed = { tid: tidOf(1), oids: oidSet(packed([7])) };
    trim(state, all + 8, true, []);
    expect(state.history).toHaveLength(2);
    trim(state, all + 7, true, []);
    expect(state.history.map((one) => one.tid)).toEqual([5n]);
  });

  it("never move the reach back", () => {
    const state = history(settled(2));
    state.reach = tidOf(7);
    trim(state, 0, true, []);
    expect(state.reach).toBe(7n);
  });
});

describe("who is owed more than the history may hold", () => {
  it("is ended, so that the history keeps its bound though one connection's server never answers", () => {
    const s = new Script("old", {}, 4000);
    s.connected([1, 2]);
    const ends: string[] = [];
    for (let t = 1; t <= 1000; t++) {
      s.finishing(1, { created: [t] });
      ends.push(...s.finishReply(1, t).filter((line) => line.startsWith("end")));
      expect(s.ledger.state.historyBytes).toBeLessThanOrEqual(8000);
    }
    expect(ends).toEqual(["end 2: too-far-behind"]);
  });

  it("is ended for the first byte that is too much behind what it is owed", () => {
    const owing = (maxBytes: number): Action<string>[] => {
      const oldest = settled(1, [1], { owed: new Set([2]) });
      const state = history(oldest, ...[2, 3, 4, 5, 6].map((n) => settled(n)));
      state.accounts.set(2, { ...newAccount(2, state), due: [{ settled: oldest, since: 0 }] });
      const actions: Action<string>[] = [];
      trim(state, maxBytes, true, actions);
      return actions;
    };
    const behind = 5 * settledBytes(settled(1));
    expect(owing(behind)).toEqual([]);
    expect(owing(behind - 1)).toMatchObject([{ do: "end", session: 2, code: "too-far-behind" }]);
  });

  it("is not ended for one commit, however large", () => {
    const s = new Script("old", {}, 1000);
    s.connected([1, 2]);
    s.finishing(1, { created: Array.from({ length: 10_000 }, (_, i) => i + 1) });
    expect(s.finishReply(1, 1)).toEqual(["ask 2", "1 < finish T1"]);
    expect(s.questionReply(2, 1)[0]).toMatch(/^2 < T1 \[1 2 3 .* made up$/);
  });
});

describe("who is slow in reading is owed more than that", () => {
  /** Session 1 has committed so many, 2 looks on; the history has a bound of 4000 bytes. */
  function commits(s: Script, from: number, to: number): string[] {
    const ends: string[] = [];
    for (let t = from; t <= to; t++) {
      s.finishing(1, { created: [t] });
      ends.push(...s.finishReply(1, t).filter((line) => line.startsWith("end")));
    }
    return ends;
  }

  it("and is not ended for it, while its server's connection is left unread; what is kept for it is counted", () => {
    const s = new Script("old", {}, 4000);
    s.connected([1, 2]);
    s.ledger.unread(2, true);
    expect(commits(s, 1, 100)).toEqual([]);
    expect(s.ledger.state.history).toHaveLength(100);
    expect(s.ledger.bytesBeyond).toBe(s.ledger.state.historyBytes - 4000);
    expect(s.tick(5000)).toEqual([]);
  });

  it("nor for what has settled by then when it is read on, though more does", () => {
    const s = new Script("old", {}, 4000);
    s.connected([1, 2]);
    s.ledger.unread(2, true);
    commits(s, 1, 100);
    s.ledger.unread(2, false);
    expect(commits(s, 101, 110)).toEqual([]);
    s.questionReply(2, 110);
    expect(s.ledger.bytesBeyond).toBe(0);
    expect(s.ledger.state.history).toHaveLength(110);
    s.ledger.tick(0);
    expect(s.ledger.state.historyBytes).toBeLessThanOrEqual(4000);
    // For what has settled since it is like anybody else.
    expect(commits(s, 111, 130)).toEqual(["end 2: too-far-behind"]);
    expect(s.ledger.bytesBeyond).toBe(0);
  });

  it("nor for the last that has settled by then", () => {
    const s = new Script("old", {}, 4000);
    s.connected([1, 2]);
    s.ledger.unread(2, true);
    commits(s, 1, 1);
    s.ledger.unread(2, false);
    expect(commits(s, 2, 30)).toEqual([]);
    expect(s.known(1)).toBe("[1]");
  });

  it("not who was never left unread, however often that is said", () => {
    const s = new Script("old", {}, 4000);
    s.connected([1, 2]);
    commits(s, 1, 3);
    s.ledger.unread(2, false);
    expect(commits(s, 4, 30)).toEqual(["end 2: too-far-behind"]);
  });

  it("nothing is kept beyond the bound where nothing has settled", () => {
    expect(new Script("old", {}, 4000).ledger.bytesBeyond).toBe(0);
  });

  it("others are ended all the same", () => {
    const s = new Script("old", {}, 4000);
    s.connected([1, 2, 3]);
    s.ledger.unread(2, true);
    expect(commits(s, 1, 100)).toEqual(["end 3: too-far-behind"]);
  });

  it("until it is given up", () => {
    const s = new Script("old", {}, 4000);
    s.connected([1, 2]);
    s.ledger.unread(2, true);
    commits(s, 1, 100);
    s.ledger.giveUpSlow();
    expect(s.ledger.take()).toMatchObject([{ do: "end", session: 2, code: "too-far-behind" }]);
    expect(s.ledger.state.historyBytes).toBeLessThanOrEqual(4000);
    expect(s.ledger.bytesBeyond).toBe(0);
  });

  it("is left unread once more: it begins anew", () => {
    const s = new Script("old", {}, 4000);
    s.connected([1, 2]);
    s.ledger.unread(2, true);
    s.ledger.unread(2, false);
    s.ledger.unread(2, false);
    expect(commits(s, 1, 3)).toEqual([]);
    s.ledger.unread(2, true);
    expect(commits(s, 4, 30)).toEqual([]);
    s.ledger.unread(9, true);
  });
});

describe("commits in limbo", () => {
  it("count, and go with the history that is above them", () => {
    const state = history(settled(5));
    state.limbo.push(limbo({ top: tidOf(5) }));
    trim(state, state.historyBytes, true, []);
    expect(state.reach).toBe(5n);
    expect(state.limbo).toEqual([]);
  });

  it("that are bounded make who comes back from below them verify", () => {
    const state = history();
    state.limbo.push(limbo({ top: tidOf(5) }), limbo({ number: 2 }));
    trim(state, 110, true, []);
    expect(state.reach).toBe(5n);
    expect(state.limbo.map(({ number }) => number)).toEqual([2]);
  });

  it("that are not become one, without their oids", () => {
    const state = history();
    state.limbo.push(limbo({ base: tidOf(3), open: true, since: 1 }), limbo({ number: 2, base: tidOf(2), since: 4 }));
    trim(state, 0, true, []);
    expect(state.limbo).toEqual([
      { number: 2, oids: undefined, base: tidOf(2), open: true, since: 4, top: undefined } satisfies Limbo,
    ]);
  });

  it("count a hundred bytes beside their oids: these are kept as long as there is room", () => {
    const state = history();
    state.limbo.push(limbo({}));
    trim(state, 108, true, []);
    expect(state.limbo).toMatchObject([{ oids: packed([7]) }]);
    trim(state, 107, true, []);
    expect(state.limbo).toMatchObject([{ oids: undefined }]);
    trim(state, 100, true, []);
    expect(state.limbo).toHaveLength(1);
  });

  it("become one that stands for all of them: above the lowest base, open if one of them is", () => {
    for (const open of [false, true]) {
      const state = history();
      state.limbo.push(
        limbo({ base: tidOf(3) }),
        limbo({ number: 2, base: tidOf(2), open }),
        limbo({ number: 3, base: tidOf(4) }),
      );
      trim(state, 0, true, []);
      expect(state.limbo).toMatchObject([{ number: 3, base: tidOf(2), open }]);
    }
  });

  it("stay while the history has no beginning yet: a client may still be answered from below them", () => {
    const state = history();
    state.limbo.push(limbo({ top: tidOf(5) }));
    trim(state, 1000, true, []);
    expect(state.reach).toBeUndefined();
    expect(state.limbo).toHaveLength(1);
  });

  it("whose oids are given up: a resume over it is answered None, and a message that it may explain ends the session", () => {
    const s = new Script("new", {}, 0);
    s.connected([1, 2]);
    s.finishing(1, { created: [5] });
    s.serverGone(1, true);
    expect(s.ledger.state.limbo[0]?.oids).toBeUndefined();
    s.connected([3]);
    s.getInvalidations(3);
    expect(s.getInvalidationsReply(3, 0, [1, [9]])).toEqual(["3 < getInvalidations(T0): None"]);
    expect(s.invalidation(3, 2, [9])).toEqual(["end 3: unknown-commit"]);
  });

  it("one that changed nothing to speak of has no oids to give up", () => {
    const s = connected("new");
    s.finishing(1, {});
    s.serverGone(1);
    expect(s.ledger.state.limbo[0]?.oids).toEqual(NO_OIDS);
  });
});
