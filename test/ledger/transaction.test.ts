import { describe, expect, it } from "vitest";
import { addOid, changesNothing, changesOf, newTransaction, type Transaction } from "../../src/ledger/transaction.ts";
import { numbers, packed } from "./script.ts";

function transaction(
  stores: Partial<Record<"created" | "modified" | "restored" | "deleted" | "refused", number[]>>,
): Transaction {
  const made = newTransaction("id");
  for (const sort of ["created", "modified", "restored", "deleted", "refused"] as const) {
    for (const oid of stores[sort] ?? []) addOid(made, sort, packed([oid]), 0);
  }
  return made;
}

describe("changesOf", () => {
  it("names every oid once, whatever was done to it how often", () => {
    const changes = changesOf(transaction({ created: [3, 3, 1], modified: [3, 2], restored: [9], deleted: [8, 1] }));
    expect(numbers(changes.oids)).toEqual([1, 2, 3, 8, 9]);
    expect(numbers(changes.created)).toEqual([1, 3]);
    expect(numbers(changes.restored)).toEqual([9]);
    expect(numbers(changes.deleted)).toEqual([1, 8]);
  });

  it("leaves out a store that was refused, but not one of two of which one was accepted", () => {
    const changes = changesOf(transaction({ created: [1, 2], modified: [2], refused: [1, 2] }));
    expect(numbers(changes.oids)).toEqual([2]);
  });

  it("a refusal does not touch what was deleted or restored", () => {
    const changes = changesOf(transaction({ deleted: [1], restored: [2], refused: [1, 2] }));
    expect(numbers(changes.oids)).toEqual([1, 2]);
  });

  it("is silent unless it modifies or undoes", () => {
    const creates = transaction({ created: [1] });
    expect(changesOf(creates).silent).toBe(true);
    creates.modifies = true;
    expect(changesOf(creates).silent).toBe(false);
    const undoes = transaction({});
    undoes.undoes = true;
    expect(changesOf(undoes).silent).toBe(false);
  });
});

describe("changesNothing", () => {
  it("is true of an empty transaction, false of an undo, whose oids nobody knows", () => {
    expect(changesNothing(changesOf(transaction({})))).toBe(true);
    expect(changesNothing(changesOf(transaction({ deleted: [1] })))).toBe(false);
    const undoes = transaction({});
    undoes.undoes = true;
    expect(changesNothing(changesOf(undoes))).toBe(false);
  });
});
