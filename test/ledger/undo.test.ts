import { describe, expect, it } from "vitest";
import { connected, Script } from "./script.ts";

/* A commit whose oids only the server knows. Session 1 commits, 2 looks on, 3 comes late. */

describe("the server's message names what was undone", () => {
  it("old: to those who were skipped, once it was read on any connection", () => {
    const s = connected("old", [1, 2, 3]);
    s.finishing(1, { created: [5], undoes: true });
    s.finishReply(1, 1);
    expect(s.invalidation(2, 1, [9])).toEqual(["2 < T1 [9 5] completed"]);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual([
      "3 < T1 [5 9] made up",
      "log T1: 1 completed, 1 made up",
      "3 < lastTransaction T1",
    ]);
  });

  it("to the others, where a fan-out server sends it to the committer before the reply", () => {
    const s = connected("old");
    s.finishing(1, { created: [5], undoes: true });
    s.invalidation(1, 1, [9]);
    s.finishReply(1, 1);
    expect(s.known(1)).toBe("[5 9]");
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 1)).toEqual([
      "2 < T1 [5 9] made up",
      "log T1: 0 completed, 1 made up",
      "2 < lastTransaction T1",
    ]);
  });

  it("and it is kept, where a fan-out server sends it to the committer behind the reply", () => {
    const s = connected("old");
    s.finishing(1, { created: [5], undoes: true });
    s.finishReply(1, 1);
    expect(s.invalidation(1, 1, [9])).toEqual([]);
    expect(s.known(1)).toBe("[5 9]");
  });
});

describe("nobody was told", () => {
  it("old: a session that has not asked for the last transaction needs nothing: the first reply shows this tid or a later one", () => {
    const s = connected("old", [1]);
    s.register(3);
    s.registerReply(3);
    s.finishing(1, { created: [5], undoes: true });
    s.finishReply(1, 1);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual(["3 < lastTransaction T1"]);
  });

  it("old: one that was answered before is ended", () => {
    const s = connected("old", [1]);
    s.register(3);
    s.finishing(1, { created: [5], undoes: true });
    s.registerReply(3);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 0)).toEqual(["3 < lastTransaction T0"]);
    s.finishReply(1, 1);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 1)).toEqual(["end 3: incomplete-undo"]);
  });

  it("old: one whose vote is granted is ended, and gets nothing behind that", () => {
    const s = connected("old");
    s.finishing(1, { undoes: true });
    s.finishReply(1, 1);
    s.begin(2, { created: [6] });
    s.vote(2);
    expect(s.voteGranted(2)).toEqual(["end 2: incomplete-undo"]);
  });

  it("one that is finishing itself is an orphan from the message on that proves it, for which nothing is kept", () => {
    const s = connected("new", [1, 2, 3]);
    s.finishing(1, { undoes: true });
    s.finishReply(1, 1);
    s.invalidation(3, 2, [9]); // of a commit elsewhere
    s.finishing(2, { created: [6] });
    expect(s.invalidation(2, 2, [9])).toEqual(["end 2: incomplete-undo"]);
    expect(s.ledger.state.accounts.get(2)).toMatchObject({ phase: "orphaned", outbox: [], due: [], heldBytes: 0 });
  });

  it("new: a reply that overtook the message ends nobody, and waits for it", () => {
    const s = connected("new");
    s.finishing(1, { created: [5], undoes: true });
    s.finishReply(1, 1);
    s.load(2);
    expect(s.loadReply(2, 1)).toEqual([]);
    expect(s.invalidation(2, 1, [9])).toEqual([
      "2 < T1 [9 5] completed",
      "log T1: 1 completed, 0 made up",
      "2 < load T1",
    ]);
  });

  it("new: where the question's reply comes before the message, too, the session is ended", () => {
    const s = connected("new");
    s.finishing(1, { undoes: true });
    s.finishReply(1, 1);
    expect(s.tick(1000)).toEqual(["ask 2"]);
    expect(s.questionReply(2, 1)).toEqual(["end 2: incomplete-undo"]);
  });

  it("old: who is ended for it is owed nothing any more of what was proven with it", () => {
    const s = new Script("old", {}, 0);
    s.connected([1, 2]);
    s.finishing(1, { undoes: true });
    s.finishReply(1, 1);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 2);
    expect(s.known(2)).toBe("[5]");
    s.begin(2, { created: [6] });
    s.vote(2);
    expect(s.voteGranted(2)).toEqual(["end 2: incomplete-undo"]);
    s.tick(0);
    expect(s.known(2)).toBe("not settled");
  });
});

it("old: a getInvalidations reply that shows an undo that nobody told does not go out", () => {
  const s = connected("old");
  s.finishing(1, { undoes: true });
  s.finishReply(1, 1);
  s.getInvalidations(2);
  expect(s.getInvalidationsReply(2, 0, [1, []])).toEqual(["end 2: incomplete-undo"]);
});
