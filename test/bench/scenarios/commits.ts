import { Client, closeAll, forgetMessages, sumOfMessages } from "../wire/client.ts";
import type { Measured, Prepared } from "./measured.ts";
import { nextOids, Observer } from "./observer.ts";
import { Transactions } from "./transaction.ts";
import { Waits } from "./waits.ts";
import { Writer } from "./writer.ts";

export interface CommitPlan {
  /** They commit at the same time; the server lets one after the other through its votes. */
  readonly writers: number;
  /** Clients that only look on. */
  readonly observers: number;
  readonly oids: number;
  /** From one commit of a single writer to the next, in ms: as on a site. In a row unless said. */
  readonly everyMs?: number;
}

/** Commits, of which everyone else must be told. */
export async function commits(port: number, plan: CommitPlan): Promise<Prepared> {
  const stage = new Commits(plan);
  await stage.connect(port);
  return {
    run: (ms) => stage.run(ms),
    close: () => stage.close(),
  };
}

class Commits {
  readonly #plan: CommitPlan;
  readonly #all: Client[] = [];
  readonly #writers: Writer[] = [];
  readonly #waits = new Waits();
  /** Announcements that are still to come: a commit owes one to everyone else. */
  #owed = 0;
  /** Of a single writer's commit. */
  #toldOfThis = 0;
  /** Writers that have not come to an end. */
  #busy = 0;
  #until = 0;
  /** When the last commit began. */
  #begun = 0;
  #settled: () => void = () => undefined;

  constructor(plan: CommitPlan) {
    this.#plan = plan;
  }

  async connect(port: number): Promise<void> {
    const { writers, observers, oids } = this.#plan;
    this.#all.push(...(await Client.connectMany(writers + observers, port)));
    const [first, ...others] = this.#all;
    const transactions = Array.from({ length: writers }, (_, i) => new Transactions(oids, i));
    const all = this.#all.map(({ isOld }) => new Observer(oids, () => this.#told(), isOld));
    // The first commit's announcements are looked at as a whole.
    const looked = Promise.all(others.map((client) => nextOids(client, () => transactions[0]?.current() ?? [])));
    const writer = new Writer(first as Client, transactions[0] as Transactions, all[0] as Observer);
    await new Promise<void>((resolve) => writer.commit(resolve));
    await looked;
    this.#writers.push(writer);
    for (let i = 1; i < this.#all.length; i++) {
      const client = this.#all[i] as Client;
      if (i < writers) this.#writers.push(new Writer(client, transactions[i] as Transactions, all[i] as Observer));
      else all[i]?.listen(client);
    }
  }

  async run(ms: number): Promise<Measured> {
    forgetMessages(this.#all);
    this.#waits.clear();
    for (const writer of this.#writers) writer.committed = 0;
    const start = performance.now();
    this.#until = start + ms;
    await new Promise<void>((resolve) => {
      this.#settled = resolve;
      this.#busy = this.#writers.length;
      for (const writer of this.#writers) this.#commit(writer);
    });
    const seconds = (performance.now() - start) / 1000;
    const amount = this.#writers.reduce((sum, { committed }) => sum + committed, 0);
    const repairable = amount * (this.#all.length - 1);
    return { seconds, amount, messages: sumOfMessages(this.#all), waits: this.#waits.kept(), repairable };
  }

  close(): void {
    closeAll(this.#all);
  }

  #commit(writer: Writer): void {
    this.#toldOfThis = 0;
    const begun = performance.now();
    this.#begun = begun;
    writer.commit(() => {
      this.#owed += this.#all.length - 1;
      // With observers it is the telling that counts.
      if (this.#plan.observers === 0) this.#waits.add(performance.now() - begun);
      this.#next(writer);
    });
  }

  /** A single writer goes on when everyone was told; several go on at once, and are told meanwhile. */
  #next(writer: Writer): void {
    if (this.#owed > 0 && this.#plan.writers === 1) return;
    const { everyMs } = this.#plan;
    if (everyMs !== undefined) setTimeout(() => this.#goOn(writer), this.#begun + everyMs - performance.now());
    else this.#goOn(writer);
  }

  #goOn(writer: Writer): void {
    if (performance.now() < this.#until) this.#commit(writer);
    else {
      this.#busy--;
      this.#settle();
    }
  }

  #told(): void {
    // May come before the reply to `tpc_finish`: then it is owed less than nothing for a while.
    this.#owed--;
    if (this.#plan.writers > 1) {
      this.#settle();
      return;
    }
    const writer = this.#writers[0] as Writer;
    if (++this.#toldOfThis === this.#plan.observers) this.#waits.add(performance.now() - writer.finishSent);
    if (this.#owed === 0) this.#next(writer);
  }

  #settle(): void {
    if (this.#busy === 0 && this.#owed === 0) this.#settled();
  }
}
