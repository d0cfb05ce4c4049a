/**
 * Compares what a client was told with the truth, the transactions in the storage's file.
 *
 * The rules are those that the proxy promises: every transaction with every oid, once, in growing order, never the
 * client's own, and before anything else shows its tid.
 */

import type { ClientEvent } from "./client.ts";
import type { TrueTransaction } from "./server.ts";

export interface Truth {
  /** In the order of their tids. */
  readonly transactions: readonly TrueTransaction[];
  /** Committed by a new server without a record in the file: nothing was stored. */
  readonly empty: ReadonlySet<string>;
}

export interface Verdict {
  /** The first tid that the client was shown: it needs what comes after. */
  readonly floor: string;
  /** Breaches of a rule, in words. Empty is good. */
  readonly problems: readonly string[];
  /** Of the transactions that it had to be told of, by tid: how many of its oids it was told. */
  readonly told: ReadonlyMap<string, { readonly oids: number; readonly of: number; readonly wasTold: boolean }>;
  /** Oids that were named though the transaction did not touch them. */
  readonly extras: number;
}

export interface JudgeOptions {
  /** The client stayed connected to the end, so everything up to the end is due. */
  readonly toTheEnd: boolean;
}

/** Judges one opening of one client; `events` in the order of its network thread. */
export function judge(events: readonly ClientEvent[], truth: Truth, options: JudgeOptions): Verdict {
  const oidsOf = new Map(truth.transactions.map((t) => [t.tid, t.oids]));
  const own = new Set(events.flatMap((event) => (event[0] === "own" ? [event[1]] : [])));
  const problems: string[] = [];

  const wire = new WireOrder(truth, own);
  for (const event of events) wire.read(event, problems);

  // ("cache dropped" alone is what ZODB does after every reconnect.)
  if (events.some((event) => event[0] === "stale cache")) problems.push("getInvalidations was answered None");

  const toldOids = new Map<string, Set<string>>();
  let lastTold = "";
  let extras = 0;
  for (const event of events) {
    if (event[0] !== "told") continue;
    const [, tid, oids] = event;
    if (toldOids.has(tid)) problems.push(`the DB was told twice of ${tid}`);
    if (tid <= lastTold) problems.push(`the DB was told of ${tid} after ${lastTold}`);
    lastTold = tid;
    toldOids.set(tid, new Set(oids));
    const real = new Set(oidsOf.get(tid) ?? []);
    if (!oidsOf.has(tid) && !truth.empty.has(tid)) problems.push(`the DB was told of ${tid}, which nobody committed`);
    extras += oids.filter((oid) => !real.has(oid)).length;
  }

  const told = new Map<string, { oids: number; of: number; wasTold: boolean }>();
  for (const { tid, oids } of truth.transactions) {
    if (tid <= wire.floor || own.has(tid)) continue;
    if (!options.toTheEnd && tid > wire.highest) continue;
    const named = toldOids.get(tid);
    const count = named === undefined ? 0 : oids.filter((oid) => named.has(oid)).length;
    told.set(tid, { oids: count, of: oids.length, wasTold: named !== undefined });
    if (!options.toTheEnd) continue;
    if (named === undefined) problems.push(`never told of ${tid} (${oids.length} oids)`);
    else if (count < oids.length) {
      const missing = oids.filter((oid) => !named.has(oid));
      problems.push(
        `told of ${tid} without ${missing.length} of ${oids.length} oids: ${missing.slice(0, 3).join(" ")}`,
      );
    }
  }
  return { floor: wire.floor, problems, told, extras };
}

/** Follows the messages of each connection: nothing shows a tid before all up to it was announced complete. */
class WireOrder {
  readonly #truth: Truth;
  readonly #own: ReadonlySet<string>;
  readonly #oids: ReadonlyMap<string, readonly string[]>;
  /** By connection: the first tid it showed, and the last that was announced on it. */
  readonly #floors = new Map<number, string>();
  readonly #announced = new Map<number, { last: string; complete: Set<string> }>();
  /** The floor of the first connection. */
  floor = "";
  /** The highest tid that was shown or announced. */
  highest = "";
  #checked = new Map<number, number>();

  constructor(truth: Truth, own: ReadonlySet<string>) {
    this.#truth = truth;
    this.#own = own;
    this.#oids = new Map(truth.transactions.map((t) => [t.tid, t.oids]));
  }

  read(event: ClientEvent, problems: string[]): void {
    switch (event[0]) {
      case "shown":
      case "resumed": {
        const [kind, connection, tid] = event;
        if (!this.#floors.has(connection)) {
          this.#floors.set(connection, tid);
          if (this.floor === "") this.floor = tid;
        } else if (kind === "resumed") {
          // It covers what lies between; what the transactions were is judged by the scenario.
          const floor = this.#floors.get(connection) ?? "";
          if (tid > floor) this.#floors.set(connection, tid);
        }
        if (kind === "shown") this.#evidence(connection, tid, problems);
        if (tid > this.highest) this.highest = tid;
        return;
      }
      case "invalidation": {
        const [, connection, tid, oids] = event;
        const announced = this.#announcedOn(connection);
        if (tid <= announced.last) problems.push(`connection ${connection}: ${tid} announced after ${announced.last}`);
        if (this.#own.has(tid)) problems.push(`connection ${connection}: its own ${tid} was announced`);
        this.#evidence(connection, tid, problems, true);
        announced.last = tid;
        const named = new Set(oids);
        if ((this.#oids.get(tid) ?? []).every((oid) => named.has(oid))) announced.complete.add(tid);
        if (tid > this.highest) this.highest = tid;
        return;
      }
      case "verify":
      case "told":
      case "own":
      case "cache dropped":
      case "stale cache":
        return;
    }
  }

  #announcedOn(connection: number): { last: string; complete: Set<string> } {
    let announced = this.#announced.get(connection);
    if (announced === undefined) {
      announced = { last: "", complete: new Set() };
      this.#announced.set(connection, announced);
    }
    return announced;
  }

  /** A message shows `tid`: every transaction up to it (an announcement: below it) must have been announced. */
  #evidence(connection: number, tid: string, problems: string[], below = false): void {
    const floor = this.#floors.get(connection);
    if (floor === undefined) return;
    const { complete } = this.#announcedOn(connection);
    const transactions = this.#truth.transactions;
    let i = this.#checked.get(connection) ?? 0;
    for (; i < transactions.length; i++) {
      const transaction = transactions[i];
      if (transaction === undefined || transaction.tid > tid || (below && transaction.tid === tid)) break;
      if (transaction.tid <= floor || this.#own.has(transaction.tid) || complete.has(transaction.tid)) continue;
      const what = below ? "announced" : "shown";
      problems.push(
        `connection ${connection}: ${tid} was ${what} before the complete invalidation of ${transaction.tid}`,
      );
    }
    this.#checked.set(connection, i);
  }
}
