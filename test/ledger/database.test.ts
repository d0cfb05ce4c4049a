import { describe, expect, it } from "vitest";
import { connected } from "./script.ts";

/* Another database behind the same address. Session 1 commits, 2 looks on, 3 comes late. */

describe("a last transaction below one that was certain", () => {
  it("in a reply to lastTransaction ends the ledger", () => {
    const s = connected("old", [1, 2], 5);
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 4)).toEqual([
      "ledger ended: T4 below T5",
      "end 1: database-changed",
      "end 2: database-changed",
    ]);
    expect(s.ledger.state.history).toEqual([]);
  });

  it("in a reply to register ends it, too", () => {
    const s = connected("new", [1], 5);
    s.register(3);
    expect(s.registerReply(3, 2)).toContain("ledger ended: T2 below T5");
  });

  it("in the reply to a question ends it, too: the commit that is asked for was in it", () => {
    const s = connected("old");
    s.finishing(1, { created: [5] });
    expect(s.finishReply(1, 1)).toContain("ask 2");
    expect(s.questionReply(2, 0)).toContain("ledger ended: T0 below T1");
  });

  it("is no proof where the answer was merely on its way", () => {
    const s = connected("old", [1, 2], 5);
    s.lastTransaction(2);
    s.lastTransaction(2);
    s.finishing(1, { modified: [4] });
    s.finishReply(1, 6);
    expect(s.lastTransactionReply(2, 5)).toEqual(["2 < lastTransaction T5"]);
    s.lastTransaction(1); // T6 is certain all the same
    expect(s.lastTransactionReply(1, 5)).toContain("ledger ended: T5 below T6");
  });

  it("leaves nothing of the database before, no oids in limbo; who has seen that one does not go on in this one", () => {
    const s = connected("new", [1, 2], 10);
    s.finishing(1, { created: [5] });
    s.finishReply(1, 12);
    s.finishing(1, { created: [7] }); // above T12
    s.serverGone(1);
    s.register(4);
    s.registerReply(4, 3);
    s.connected([5, 6], 3);
    s.getInvalidations(5);
    expect(s.getInvalidationsReply(5, 12, [13, [9]])).toEqual(["5 < getInvalidations(T12): None"]);
    s.getInvalidations(5);
    expect(s.getInvalidationsReply(5, 13, [14, [9]])).toEqual(["5 < getInvalidations(T13): T14 [9] as it is"]);
    expect(s.invalidation(6, 13, [9])).toEqual(["foreign T13", "6 < T13 [9] as it is"]);
  });

  it("is one that only an invalidation had shown, once no session is left of that time", () => {
    const s = connected("new", [1, 2], 5);
    s.invalidation(1, 12, []);
    s.gone(1);
    s.gone(2);
    s.register(3);
    expect(s.registerReply(3, 8)).toEqual(["ledger ended: T8 below T12", "end 3: database-changed"]);
  });
});

describe("a last transaction that is one that was copied", () => {
  it("is no other database: FileStorage names what was written last, until the next commit", () => {
    const s = connected("new", [1, 2], 5);
    s.begin(1, { restored: [5], tid: 3 });
    s.finish(1);
    s.finishReply(1, 3);
    s.register(3);
    expect(s.registerReply(3, 3)).toEqual(["3 < register T3"]);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 3)).toEqual(["3 < lastTransaction T3"]);
    s.lastTransaction(3);
    expect(s.lastTransactionReply(3, 4)).toEqual([
      "ledger ended: T4 below T5",
      "end 1: database-changed",
      "end 2: database-changed",
      "end 3: database-changed",
    ]);
  });

  it("is certain from then on, like any other that the server names", () => {
    const s = connected("new", [1], 5);
    s.begin(1, { restored: [5], tid: 3 });
    s.finish(1);
    s.finishReply(1, 3);
    s.gone(1);
    s.register(2); // nobody is left who has seen T5
    expect(s.registerReply(2, 3)).toEqual(["2 < register T3"]);
    s.lastTransaction(2);
    expect(s.lastTransactionReply(2, 2)).toContain("ledger ended: T2 below T3");
  });

  it("and a client of before is still not resumed above it", () => {
    const s = connected("new", [1, 2], 5);
    s.begin(1, { restored: [5], tid: 3 });
    s.finish(1);
    s.finishReply(1, 3);
    s.connected([3], 3);
    s.finishing(1, { modified: [6] });
    s.finishReply(1, 8);
    s.connected([4], 8);
    s.getInvalidations(4);
    expect(s.getInvalidationsReply(4, 5, [8, [6]])).toEqual(["4 < getInvalidations(T5): None"]);
  });
});
