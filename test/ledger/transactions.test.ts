import { describe, expect, it } from "vitest";
import { connected } from "./script.ts";

/* A client's transactions between `tpc_begin` and the end. Session 1 commits, 2 looks on, 3 comes late. */

describe("begin and abort", () => {
  it("begun twice with one id: the first one and its stores are kept", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.begin(1, { created: [6] });
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5 6]");
  });

  it("begun again with another id: the server refuses the second; finishing it changes nothing", () => {
    const s = connected("new");
    s.begin(1, { created: [5], id: 1 });
    s.begin(1, { created: [6], id: 2 });
    s.finish(1, 2);
    expect(s.finishReply(1, undefined)).toEqual(["1 < finish None"]);
    s.finish(1, 1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });

  it("begun without end: beyond a hundred the server has refused them all, and they are not kept", () => {
    const s = connected("new");
    for (let id = 1; id <= 150; id++) s.begin(1, { created: [5], id });
    expect(s.ledger.state.accounts.get(1)?.transactions).toHaveLength(100);
    s.finish(1, 1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });

  it("aborted with another id: nothing is forgotten", () => {
    const s = connected("new");
    s.begin(1, { created: [5], id: 1 });
    s.abort(1, 2);
    s.finish(1, 1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });

  it("aborted, after a vote too: its stores do not get into the next one with the same id", () => {
    const s = connected("old");
    s.begin(1, { created: [5] });
    s.vote(1);
    s.voteGranted(1);
    s.abort(1);
    s.finishing(1, { created: [6] });
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[6]");
  });

  it("one id on two connections: each has its own", () => {
    const s = connected("new");
    s.begin(1, { created: [5], id: 9 });
    s.begin(2, { created: [6], id: 9 });
    s.finish(1, 9);
    s.finishReply(1, 1);
    s.finish(2, 9);
    s.finishReply(2, 2);
    expect([s.known(1), s.known(2)]).toEqual(["[5]", "[6]"]);
  });
});

describe("stores", () => {
  it("the same oid twice, created and modified: named once", () => {
    const s = connected("new");
    s.finishing(1, { created: [5, 5], modified: [5, 4, 4] });
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[4 5]");
  });

  it("old: a store that serialnos refuse is no store; of two of one oid, one that is accepted counts", () => {
    const s = connected("old");
    s.begin(1, { created: [5, 6], modified: [5] });
    s.serialnos(1, [5, 6]);
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });
});

describe("votes", () => {
  it("new: conflicts, stored again, voted again: the oids of both stores, each once", () => {
    const s = connected("new");
    s.begin(1, { modified: [4, 5] });
    s.vote(1);
    expect(s.voteFailed(1, { cleared: false })).toEqual(["1 < vote failed"]);
    s.store(1, { modified: [5] });
    s.vote(1);
    s.voteGranted(1);
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[4 5]");
  });

  it("new: a vote that failed with an exception clears it; the next one with this id starts anew", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.vote(1);
    s.voteFailed(1, { cleared: true });
    s.finishing(1, { created: [6] });
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[6]");
  });

  it("a vote that fails because one is on its way changes nothing: the finish that follows settles everything", () => {
    const s = connected("new");
    s.begin(1, { created: [5] });
    s.vote(1);
    s.vote(1);
    s.voteFailed(1, { cleared: false });
    s.finish(1);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5]");
  });
});

describe("what is noted of transactions is counted with the room that it has: eight oids, then twice as many", () => {
  it("nothing, where nothing was begun or stored, or nobody knows the session", () => {
    const s = connected("new");
    expect([s.ledger.notedBytes(1), s.ledger.notedBytes(9)]).toEqual([0, 0]);
    s.begin(1, {});
    expect(s.ledger.notedBytes(1)).toBe(0);
  });

  it.each(["created", "modified", "restored", "deleted"] as const)("%s", (sort) => {
    const s = connected("new");
    s.begin(1, { [sort]: [5] });
    expect(s.ledger.notedBytes(1)).toBe(64);
    s.store(1, { [sort]: [1, 2, 3, 4, 6, 7, 8, 9] });
    expect(s.ledger.notedBytes(1)).toBe(128);
    s.begin(1, { [sort]: [5], id: 2 });
    expect(s.ledger.notedBytes(1)).toBe(192);
    s.finish(1, 1);
    expect(s.ledger.notedBytes(1)).toBe(64);
  });

  it("refused", () => {
    const s = connected("old");
    s.begin(1, {});
    s.serialnos(1, [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(s.ledger.notedBytes(1)).toBe(64);
  });
});
