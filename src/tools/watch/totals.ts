import { counted } from "../output.ts";
import { leftOut, type Transaction } from "./transaction.ts";

/** What was shown, and what the server said of it. Of a transaction that was only read nobody knows what was said. */
export class Totals {
  /** How many transactions there were, those that were not shown too. */
  seen = 0;
  transactions = 0;
  objects = 0;
  /** Transactions that were not only read, with a message, */
  followed = 0;
  told = 0;
  /** and how many of their objects the messages named. */
  followedObjects = 0;
  named = 0;

  add(transaction: Transaction, isShown: boolean): void {
    this.seen++;
    if (!isShown) return;
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

  /** How many transactions were shown; of how many, where that is another number. */
  get shownText(): string {
    const { seen, transactions } = this;
    if (seen === transactions) return counted(transactions, "transaction");
    return `${transactions.toLocaleString("en")} of ${counted(seen, "transaction")}`;
  }

  fields(): object {
    const { seen, transactions, objects, followed, told, followedObjects, named } = this;
    return { seen, transactions, objects, followed, told, followedObjects, named };
  }
}
