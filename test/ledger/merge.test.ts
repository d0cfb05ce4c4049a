import { describe, expect, it } from "vitest";
import { remember } from "../../src/ledger/history.ts";
import { merge } from "../../src/ledger/merge.ts";
import { item, newAccount, newState, type Action, type Account, type StorageState } from "../../src/ledger/state.ts";
import { asTid } from "../../src/wire/ids.ts";
import { numbers, packed, Script } from "./script.ts";
import { settled as settledOf } from "./settled.ts";

const tid = (n: number): ReturnType<typeof asTid> => asTid(BigInt(n));

/** The value that a `getInvalidations(asked)` reply gets; "as it is" where it needs none. */
function merged(
  state: StorageState<string>,
  account: Account<string>,
  asked: number,
  answer: [number, readonly number[]] | undefined,
): string {
  const args = answer === undefined ? undefined : { tid: tid(answer[0]), oids: packed(answer[1]) };
  const actions: Action<string>[] = [];
  merge(state, account, item("invalidations", "", 1, { asked: tid(asked), answer: args }), "", actions);
  const [action] = actions;
  if (action?.do === "forward") return "as it is";
  if (action?.do !== "resume") return "nothing";
  return action.value === undefined ? "None" : `T${action.value.tid} [${numbers(action.value.oids).join(" ")}]`;
}

/** A ledger in which T1 to T3 have created the oids 1 to 3. */
function three(): StorageState<string> {
  const s = new Script("old");
  s.connected([1]);
  for (const n of [1, 2, 3]) {
    s.finishing(1, { created: [n] });
    s.finishReply(1, n);
  }
  return s.ledger.state;
}

describe("the tid of a merged reply", () => {
  it("is the highest of the server's, the one asked for, the floor, what was announced and what was shown", () => {
    for (const [set, expected] of [
      [{}, "as it is"],
      [{ floor: tid(2) }, "T2 [2]"],
      [{ announced: tid(3) }, "T3 [2 3]"],
      [{ shown: tid(2) }, "T2 [2]"],
      [{ floor: tid(1), announced: tid(2), shown: tid(3) }, "T3 [2 3]"],
    ] as const) {
      const account = { ...newAccount<string>(9, newState("old")), ...set };
      expect(merged(three(), account, 1, [1, []])).toBe(expected);
    }
  });

  it("never lies below the one asked for", () => {
    const account = newAccount<string>(9, newState("old"));
    expect(merged(three(), account, 3, [1, []])).toBe("T3 []");
  });

  it("counts as shown from then on", () => {
    const account = newAccount<string>(9, newState("old"));
    merged(three(), account, 3, [1, []]);
    expect(account.shown).toBe(3n);
  });
});

describe("the oids of a merged reply", () => {
  it("are the server's as they are, and behind them what is missing", () => {
    const account = newAccount<string>(9, newState("old"));
    expect(merged(three(), account, 0, [3, [9, 2, 9]])).toBe("T3 [9 2 9 1 3]");
  });

  it("have nothing above the tid", () => {
    const account = newAccount<string>(9, newState("old"));
    expect(merged(three(), account, 0, [2, []])).toBe("T2 [1 2]");
  });

  it("pass as they are where nothing is missing", () => {
    const account = newAccount<string>(9, newState("old"));
    expect(merged(three(), account, 0, [3, [3, 2, 1]])).toBe("as it is");
  });
});

describe("None", () => {
  /** What a commit in limbo changed is known, or was too much to keep. */
  function inLimbo(state: StorageState<string>, oids: readonly number[] | undefined): StorageState<string> {
    const set = oids === undefined ? undefined : packed(oids);
    state.limbo.push({ number: 1, oids: set, base: tid(0), open: false, since: 0, top: undefined });
    return state;
  }

  it("is the answer over a commit in limbo whose oids were too many to keep, whatever else has settled", () => {
    const account = newAccount<string>(9, newState("old"));
    expect(merged(inLimbo(three(), [7]), account, 1, [3, []])).toBe("T3 [2 3 7]");
    expect(merged(inLimbo(three(), undefined), account, 1, [3, []])).toBe("None");
  });

  it("is the answer over an undo that nobody told, whatever is in limbo", () => {
    const state = inLimbo(three(), [7]);
    const account = { ...newAccount<string>(9, newState("old")), floor: tid(3) };
    for (const settled of state.history) if (settled.tid === 2n) settled.complete = false;
    expect(merged(state, account, 1, [1, []])).toBe("None");
    expect(merged(state, account, 2, [2, []])).toBe("T3 [3 7]");
  });

  it("is the answer where more than half a million oids would have to be put together", () => {
    const HALF = 250_000;
    const answered = (
      settled: readonly number[],
      limbo: readonly number[],
      server: number,
    ): "None" | "as it is" | number | undefined => {
      const state = newState<string>("old");
      state.reach = tid(0);
      const list = (count: number, from = 0): Buffer => {
        const oids = Buffer.alloc(8 * count);
        for (let i = 0; i < count; i++) oids.writeUInt32BE(from + i, 8 * i + 4);
        return oids;
      };
      for (const [i, count] of settled.entries()) {
        remember(state, settledOf(i + 1, [], { oids: list(count) }));
      }
      for (const count of limbo) {
        state.limbo.push({ number: 1, oids: list(count), base: tid(0), open: false, since: 0, top: undefined });
      }
      const actions: Action<string>[] = [];
      const answer = { tid: tid(9), oids: list(server, 1_000_000) };
      const account = newAccount<string>(9, newState("old"));
      merge(state, account, item("invalidations", "", 1, { asked: tid(0), answer }), "", actions);
      const [action] = actions;
      if (action?.do !== "resume") return "as it is";
      return action.value === undefined ? "None" : action.value.oids.length / 8;
    };
    expect(answered([HALF, HALF], [], 0)).toBe(HALF);
    expect(answered([HALF, HALF + 1], [], 0)).toBe("None");
    expect(answered([], [HALF, HALF], 0)).toBe(HALF);
    expect(answered([], [HALF, HALF + 1], 0)).toBe("None");
    expect(answered([HALF], [HALF + 1], HALF - 1)).toBe(2 * HALF);
    expect(answered([HALF], [HALF + 1], HALF)).toBe("None");
    expect(answered([], [], 2 * HALF + 1)).toBe("as it is");
  });

  it("is the server's answer, passed on", () => {
    expect(merged(three(), newAccount(9, newState("old")), 0, undefined)).toBe("as it is");
  });

  it("is the answer where the history does not reach back, or has no beginning yet", () => {
    const account = newAccount<string>(9, newState("old"));
    const state = three();
    state.reach = tid(2);
    expect(merged(state, account, 1, [3, []])).toBe("None");
    expect(merged(state, account, 2, [3, []])).toBe("T3 [3]");
    expect(merged(newState("old"), account, 1, [3, []])).toBe("None");
  });
});
