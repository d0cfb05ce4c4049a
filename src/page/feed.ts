import type { Clock } from "../clock.ts";
import type { Happening } from "../happening/happening.ts";
import { addedCounts } from "../report/repair.ts";
import { tidHex } from "../wire/ids.ts";
import type { Evidence, Hello, Overview } from "./messages.ts";
import type { Snapshot } from "./snapshot.ts";
import { Timeline } from "./timeline.ts";
import { CAPACITY, Transactions } from "./transactions.ts";

/** Evidence is kept for so many storages: their names are a client's text. */
const MOST_EVIDENCE = 1_000;

/**
 * All that the page shows. It reads what happens, like the log, and asks how everything stands when somebody looks. What it keeps
 * is bounded whatever happens: some 15 MB at most.
 */
export class Feed {
  readonly clock: Clock;
  readonly transactions: Transactions;
  readonly timeline: Timeline;
  readonly #version: string;
  readonly #startedMs: number;
  #snapshot: (() => Snapshot) | undefined;
  #repaired = 0;
  #wouldRepair = 0;
  /** By storage and upstream: the last transaction in which created objects had to be added. */
  readonly #evidence = new Map<string, Evidence>();

  /** `version`: the proxy's. */
  constructor(clock: Clock, version: string, capacity = CAPACITY) {
    this.clock = clock;
    this.transactions = new Transactions(capacity);
    this.#startedMs = clock.now();
    this.timeline = new Timeline(this.#startedMs);
    this.#version = version;
  }

  /** Tells how everything stands. */
  source(snapshot: () => Snapshot): void {
    this.#snapshot = snapshot;
  }

  read(happening: Happening): void {
    switch (happening.what) {
      case "committed":
      case "foreign": {
        const { next } = this.transactions;
        const nowMs = this.clock.now();
        if (happening.what === "committed") this.transactions.committed(happening, nowMs);
        else this.transactions.foreign(happening, nowMs);
        // Of one that was read later it is told twice; and where clients are observed beside others.
        if (this.transactions.next > next) this.timeline.committed(nowMs);
        return;
      }
      case "repaired":
        this.#repaired++;
        this.#repair(happening, this.clock.now(), false);
        return;
      case "observed":
        if (happening.happening.what !== "repaired") return;
        this.#wouldRepair++;
        this.#repair(happening.happening, this.clock.now(), true);
        return;
      default:
    }
  }

  #repair(happening: Extract<Happening, { what: "repaired" }>, nowMs: number, isObserved: boolean): void {
    if (isObserved) this.timeline.observed(nowMs);
    else this.timeline.repaired(nowMs);
    this.transactions.repaired(happening, nowMs, isObserved);
    const { created } = addedCounts(happening.settled);
    if (created > 0) this.#left(happening, { tid: tidHex(happening.settled.tid), created });
  }

  /** A message for a client was held for so long, in ms. */
  held(heldMs: number): void {
    this.timeline.held(heldMs, this.clock.now());
  }

  #left({ storage, upstream }: { readonly storage: string; readonly upstream: string }, evidence: Evidence): void {
    const key = keyOf(upstream, storage);
    if (this.#evidence.size >= MOST_EVIDENCE && !this.#evidence.has(key)) return;
    this.#evidence.set(key, evidence);
  }

  /** That upstream is called otherwise, or is gone: then `name` is another one of its server, or undefined. */
  upstreamIs(name: string | undefined, before: string): void {
    if (name === before) return;
    const prefix = keyOf(before, "");
    for (const [key, evidence] of this.#evidence) {
      if (!key.startsWith(prefix)) continue;
      this.#evidence.delete(key);
      const now = name === undefined ? undefined : keyOf(name, key.slice(prefix.length));
      if (now !== undefined && !this.#evidence.has(now)) this.#evidence.set(now, evidence);
    }
  }

  hello(): Hello {
    const [nowMs, startedMs] = [this.clock.now(), this.#startedMs];
    return { nowMs, startedMs, version: this.#version, capacity: this.transactions.capacity };
  }

  /** `readers`: so many look at it. */
  overview(readers: number): Overview {
    const { storages, ...rest } = this.#snapshot?.() ?? NOTHING;
    const proven = storages.map((storage) => {
      // Several upstreams may lead to one server: any of them is evidence.
      const doors = rest.upstreams.filter(({ server }) => server === storage.server);
      const found = doors.map(({ name }) => this.#evidence.get(keyOf(name, storage.storage)));
      return { ...storage, evidence: found.find((one) => one !== undefined) ?? null };
    });
    return {
      nowMs: this.clock.now(),
      ...rest,
      storages: proven,
      repaired: this.#repaired,
      wouldRepair: this.#wouldRepair,
      readers,
    };
  }
}

function keyOf(upstream: string, storage: string): string {
  return `${upstream.length} ${upstream}${storage}`;
}

const NOTHING: Snapshot = {
  upstreams: [],
  storages: [],
  clients: [],
  moreClients: 0,
  completed: 0,
  synthesized: 0,
  late: 0,
  resumed: 0,
  tooOld: 0,
  ended: {},
  observed: { resumed: 0, tooOld: 0, ended: 0 },
  guard: 0,
};
