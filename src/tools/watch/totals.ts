import { leftOut, type Transaction } from "./transaction.ts";

/** What was seen, and what the server said of it. Of a transaction that was only read nobody knows what was said. */
export class Totals {
  transactions = 0;
  objects = 0;
  /** Transactions that were not only read, with a message, */
  followed = 0;
  told = 0;
  /** and how many of their objects the messages named. */
  followedObjects = 0;
  named = 0;

  add(transaction: Transaction): void {
    const { oids, source } = transaction;
    this.transactions++;
    this.objects += oids.length;
    const missing = leftOut(transaction);
    if (missing === undefined) return;
    this.followed++;
    this.followedObjects += oids.length;
    if (source === "told") this.told++;
    this.named += oids.length - missing.length;
  }

  /** All that was told of was told completely. */
  get isComplete(): boolean {
    return this.named === this.followedObjects;
  }

  fields(): object {
    const { transactions, objects, followed, told, followedObjects, named } = this;
    return { transactions, objects, followed, told, followedObjects, named };
  }
}
