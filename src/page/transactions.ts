import type { Happening, StoragePlace } from "../happening/happening.ts";
import { oidCount } from "../ledger/oid-set.ts";
import { NOBODY, type Settled } from "../ledger/state.ts";
import { asTid, type Tid } from "../wire/ids.ts";
import {
  countsOf,
  holds,
  keepOids,
  markAdded,
  NOTHING_KEPT,
  oidViews,
  type Counts,
  type KeptOids,
} from "./kept-oids.ts";
import { foreignCounts, Kept, nameOf, type Source } from "./kept.ts";
import type { Found, Row, TransactionView } from "./messages.ts";

/** So many transactions are kept. */
export const CAPACITY = 5_000;
/** So many are found at most. */
export const MOST_FOUND = 200;

type Of<What extends Happening["what"]> = Extract<Happening, { what: What }>;

const FOREIGN: Source = { source: "foreign", client: null };

/**
 * The last transactions, by the order in which they settled here, and which of them have changed since when. What was told of one
 * later (it was repaired, it was read) changes its row.
 */
export class Transactions {
  readonly #capacity: number;
  /** By id modulo the capacity. */
  readonly #kept: Kept[] = [];
  /** By tid the newest one, which leads to the others. */
  readonly #newest = new Map<Tid, Kept>();
  #next = 0;
  /** The ids of what has changed, by the number of the change modulo the length. */
  readonly #changed: Float64Array;
  #changes = 0;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
    this.#changed = new Float64Array(capacity);
  }

  /** The ids from `first` to before `next` are kept. */
  get first(): number {
    return Math.max(0, this.#next - this.#capacity);
  }

  get capacity(): number {
    return this.#capacity;
  }

  get next(): number {
    return this.#next;
  }

  /** So many changes there were; the next one has this number. */
  get changes(): number {
    return this.#changes;
  }

  committed({ tid, changes, ...place }: Of<"committed">, nowMs: number): void {
    const counts = countsOf(changes, changes.oids);
    this.#put(place, tid, clientOf(place), counts, keepOids(changes.oids, changes), nowMs);
  }

  foreign({ tid, oids, ...place }: Of<"foreign">, nowMs: number): void {
    const kept = oids === undefined ? NOTHING_KEPT : keepOids(oids);
    const unread = this.#find(place, tid) === undefined ? this.#elsewhere(place, tid) : undefined;
    // A server and its replica have the same tids: only what was not read is taken for the same one.
    const { upstream } = unread?.counts.objects === null ? unread : place;
    this.#put({ ...place, upstream }, tid, FOREIGN, foreignCounts(oids), kept, nowMs);
  }

  /** `isObserved`: it would have been. What was done for others counts. */
  repaired({ settled, ...place }: Of<"repaired">, nowMs: number, isObserved = false): void {
    const kept =
      this.#find(place, settled.tid) ?? this.#elsewhere(place, settled.tid) ?? this.#unheard(place, settled, nowMs);
    if (isObserved && kept.repair.repair !== "none" && !kept.repair.isObserved) return;
    const { changes, completed, synthesized } = settled;
    const isForeign = settled.session === NOBODY;
    const added = settled.added ?? settled.oids;
    // Mostly they are known: of a commit that was told here.
    const isKnown =
      kept.oids.isAll && (kept.counts.created === null) === isForeign && kept.oids.oids.equals(settled.oids);
    if (!isKnown) {
      kept.counts = isForeign ? foreignCounts(settled.oids) : countsOf(changes, settled.oids);
      kept.oids = keepOids(settled.oids, isForeign ? undefined : changes);
    }
    markAdded(kept.oids, added);
    kept.repair = {
      repair: synthesized > 0 ? "synthesized" : "completed",
      isObserved,
      added: oidCount(added),
      clients: completed + synthesized,
      toldMs: Math.max(0, nowMs - kept.atMs),
    };
    this.#change(kept);
  }

  /** One that settled before anybody listened. */
  #unheard(place: StoragePlace, { tid, session }: Settled, nowMs: number): Kept {
    const source = { ...clientOf(place), source: session === NOBODY ? "foreign" : "client" } as const;
    return this.#put(place, tid, source, foreignCounts(undefined), NOTHING_KEPT, nowMs);
  }

  #put(place: StoragePlace, tid: Tid, source: Source, counts: Counts, oids: KeptOids, nowMs: number): Kept {
    const known = this.#find(place, tid);
    if (known !== undefined) {
      // Whose client has committed it, of that nobody else says more: of others' clients, it did not pass through there.
      if (known.source.source === "client" && source.source === "foreign") return known;
      // It was told as the server named it, and has been read since.
      if (counts.objects !== null) {
        known.counts = counts;
        known.source = source;
        known.oids = oids;
        this.#change(known);
      }
      return known;
    }
    const id = this.#next++;
    const kept = new Kept(id, tid, place, source, counts, nowMs);
    kept.oids = oids;
    const old = this.#kept[id % this.#capacity];
    if (old !== undefined) this.#forget(old);
    this.#kept[id % this.#capacity] = kept;
    kept.older = this.#newest.get(tid);
    this.#newest.set(tid, kept);
    this.#change(kept);
    return kept;
  }

  /** It is the oldest one. */
  #forget({ tid, id }: Kept): void {
    let last = this.#newest.get(tid);
    if (last?.id === id) this.#newest.delete(tid);
    while (last?.older !== undefined && last.older.id !== id) last = last.older;
    if (last !== undefined) last.older = undefined;
  }

  #change(kept: Kept): void {
    kept.change = this.#changes++;
    this.#changed[kept.change % this.#changed.length] = kept.id;
  }

  #find({ upstream, storage }: StoragePlace, tid: Tid): Kept | undefined {
    const name = nameOf(storage);
    let found = this.#newest.get(tid);
    while (found !== undefined && (found.upstream !== upstream || found.storage !== name)) found = found.older;
    return found;
  }

  /** The same storage by another door: whose client has left, or is nobody, is told for the last one that was used. */
  #elsewhere({ storage }: StoragePlace, tid: Tid): Kept | undefined {
    const found = this.#newest.get(tid);
    return found?.storage === nameOf(storage) ? found : undefined;
  }

  #at(id: number): Kept | undefined {
    return id >= this.first && id < this.#next ? this.#kept[id % this.#capacity] : undefined;
  }

  // --- what others see --------------------------------------------------------------------------------------------

  /**
   * The rows that have changed since the change of that number, each once, as it is now; undefined: that is too long ago, and
   * whoever asks wants all of them anew.
   */
  since(change: number): Row[] | undefined {
    if (this.#changes - change > this.#changed.length) return undefined;
    const rows: Row[] = [];
    for (let i = change; i < this.#changes; i++) {
      const kept = this.#at(this.#changed[i % this.#changed.length] ?? -1);
      if (kept?.change === i) rows.push(kept.row());
    }
    return rows;
  }

  /** At most `most` of the rows before that id, newest first. */
  before(id: number, most: number): Row[] {
    const rows: Row[] = [];
    for (let i = id - 1; i >= this.first && rows.length < most; i--) {
      const kept = this.#at(i);
      if (kept !== undefined) rows.push(kept.row());
    }
    return rows;
  }

  /** The newest one with that tid (16 hex digits), of that upstream and storage where they are named. */
  view(tid: string, upstream?: string, storage?: string): TransactionView | undefined {
    let found = /^[0-9a-f]{16}$/.test(tid) ? this.#newest.get(tidOf(tid)) : undefined;
    while (
      found !== undefined &&
      ((upstream ?? found.upstream) !== found.upstream || (storage ?? found.storage) !== found.storage)
    ) {
      found = found.older;
    }
    return found && { ...found.row(), oids: oidViews(found.oids) };
  }

  /** Those that an id, as somebody types it, is the tid of, or the oid of an object that they have changed. */
  search(query: string): Found {
    const id = idIn(query);
    const rows: Row[] = [];
    let isCut = false;
    let uncertain = 0;
    const oid = Buffer.from(id ?? "", "hex");
    const tid = id === null ? undefined : tidOf(id);
    for (const kept of id === null ? [] : this.#newestFirst()) {
      if (kept.tid === tid || holds(kept.oids, oid)) {
        if (rows.length < MOST_FOUND) rows.push(kept.row());
        else isCut = true;
      } else if (!kept.oids.isAll) uncertain++;
    }
    return { query, id, rows, isCut, uncertain };
  }

  *#newestFirst(): Generator<Kept> {
    for (let id = this.#next - 1; id >= this.first; id--) {
      const kept = this.#at(id);
      if (kept !== undefined) yield kept;
    }
  }
}

function clientOf({ client }: StoragePlace): Source {
  return { source: "client", client: client ?? null };
}

function tidOf(hex: string): Tid {
  return asTid(BigInt(`0x${hex}`));
}

/** 16 hex digits, from up to 16 with or without `0x` and zeros in front; null: it is no id. */
export function idIn(text: string): string | null {
  const digits = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text.trim())?.[1];
  return digits === undefined ? null : digits.toLowerCase().padStart(16, "0");
}
