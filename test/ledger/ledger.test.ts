import { describe, expect, it } from "vitest";
import { connected } from "./script.ts";

/* What a session asks of its ledger. Session 1 commits, 2 looks on, 3 comes late. */

describe("where its commits stand", () => {
  it("is never the same again once one was forwarded, has settled, or came into doubt", () => {
    const s = connected("new");
    const seen = [s.ledger.standing];
    const moves = (event: () => unknown): void => {
      event();
      seen.push(s.ledger.standing);
    };
    moves(() => s.finishing(1, { created: [5] }));
    moves(() => s.finishing(2, { created: [6] }));
    moves(() => s.finishReply(1, 1));
    moves(() => s.finishFailed(2));
    expect(new Set(seen).size).toBe(seen.length);
    const { standing } = s.ledger;
    s.lastTransaction(1);
    expect(s.ledger.standing).toBe(standing);
  });
});

describe("may the server's connection be left unread", () => {
  it("yes, for a slow client, whatever is due to it or held for it: nobody else waits for what it may bring", () => {
    const s = connected("new");
    expect(s.ledger.mayPause(2, true)).toBe(true);
    s.finishing(1, { modified: [4] });
    s.lastTransaction(2);
    s.finishReply(1, 1);
    expect(s.ledger.mayPause(2, true)).toBe(true);
    s.lastTransactionReply(2, 1); // held for the server's own T1
    expect(s.ledger.mayPause(2, true)).toBe(true);
  });

  it("not of a quick client for which nothing is held", () => {
    expect(connected("new").ledger.mayPause(2, false)).toBe(false);
  });

  it("not while its own finish is on the way", () => {
    const s = connected("old");
    s.finishing(1, { modified: [4] });
    expect(s.ledger.mayPause(1, true)).toBe(false);
    expect(s.ledger.mayPause(1, false)).toBe(false);
  });

  it("not while its own finish is on the way, though the first message waits for another's", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.finishing(2, { created: [6] });
    s.lastTransaction(2);
    s.lastTransactionReply(2, 1);
    expect(s.ledger.mayPause(2, true)).toBe(false);
  });

  it("yes, while the first message waits for a commit of another", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    s.lastTransactionReply(2, 1);
    expect(s.ledger.mayPause(2, false)).toBe(true);
  });

  it("not of a quick client while the message that is waited for stands behind what is held", () => {
    const s = connected("new");
    s.finishing(1, { created: [5] });
    s.lastTransaction(2);
    s.finishReply(1, 1);
    s.lastTransactionReply(2, 1); // held for the server's own T1
    expect(s.ledger.mayPause(2, false)).toBe(false);
  });
});

describe("a quiet session", () => {
  it("is one in whose storage nothing is finishing, and to which nothing is due or held", () => {
    const s = connected("old");
    expect(s.ledger.isQuiet(2)).toBe(true);
    s.finishing(1, { created: [5] });
    expect(s.ledger.isQuiet(2)).toBe(false);
    s.finishReply(1, 1);
    expect(s.ledger.isQuiet(2)).toBe(false);
    s.questionReply(2, 1);
    expect(s.ledger.isQuiet(2)).toBe(true);
  });

  it("is found without a look at each, once nothing is owed to anybody, and not before", () => {
    const s = connected("old");
    s.finishing(1, { created: [5] });
    s.finishReply(1, 1);
    const often = (): boolean[] => Array.from({ length: 9 }, () => s.ledger.isQuiet(1));
    expect(new Set(often())).toEqual(new Set([true]));
    expect([s.ledger.state.mayOwe, s.ledger.isQuiet(2), s.ledger.heldBytes(2)]).toEqual([true, false, 0]);
    s.questionReply(2, 1);
    expect(new Set(often())).toEqual(new Set([true]));
    expect([s.ledger.state.mayOwe, s.ledger.isQuiet(2)]).toEqual([false, true]);
  });
});
