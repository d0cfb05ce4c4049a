import type { Happening, StoragePlace } from "../happening/happening.ts";
import { oidCount, type OidSet } from "../ledger/oid-set.ts";
import { NOBODY, type Settled } from "../ledger/state.ts";
import type { Changes } from "../ledger/transaction.ts";
import { tidHex, tidTimeMs, type Tid } from "../wire/ids.ts";
import { countsOf, holds, keepOids, NOTHING_KEPT, oidViews, type KeptOids, type SortCounts } from "./kept-oids.ts";
import type { Found, Row, TransactionView } from "./messages.ts";

/** So many transactions are kept. */
export const CAPACITY = 5_000;
/** So many are found at most. */
export const MOST_FOUND = 200;
/** Storage names are a client's text. */
const MOST_NAME = 100;

type Of<What extends Happening["what"]> = Extract<Happening, { what: What }>;

interface Kept {
  row: Row;
  readonly atMs: number;
  oids: KeptOids;
  /** The number of its last change. */
  change: number;
}

const UNKNOWN = { created: null, modified: null, restored: null, deleted: null } as const;

/**
 * The last transactions, by the order in which they settled here, and which of them have changed since when. What was told of one
 * later (it was repaired, it was read) changes its row.
 */
export class Transactions {
  readonly #capacity: number;
  /** By id modulo the capacity. */
  readonly #kept: Kept[] = [];
  /** Ids by upstream, storage and tid. */
  readonly #ids = new Map<string, number>();
  /** The newest one's id by tid. */
  readonly #newest = new Map<string, number>();
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
    const source = { source: "client", client: place.client ?? null } as const;
    const counts = { objects: oidCount(changes.oids), ...countsOf(changes, changes.oids) };
    this.#put(place, tid, source, counts, keepOids(changes.oids, changes), nowMs);
  }

  foreign({ tid, oids, ...place }: Of<"foreign">, nowMs: number): void {
    const counts = { objects: oids === undefined ? null : oidCount(oids), ...UNKNOWN };
    const kept = oids === undefined ? NOTHING_KEPT : keepOids(oids, undefined);
    const unread = this.#find(place, tid) === undefined ? this.#elsewhere(place, tid) : undefined;
    // A server and its replica have the same tids: only what was not read is taken for the same one.
    const { upstream } = unread?.row.objects === null ? unread.row : place;
    this.#put({ ...place, upstream }, tid, { source: "foreign", client: null }, counts, kept, nowMs);
  }

  /** `isObserved`: it would have been. What was done for others counts. */
  repaired({ settled, ...place }: Of<"repaired">, nowMs: number, isObserved = false): void {
    const kept =
      this.#find(place, settled.tid) ?? this.#elsewhere(place, settled.tid) ?? this.#unheard(place, settled, nowMs);
    if (isObserved && kept.row.repair !== "none" && !kept.row.isObserved) return;
    const { changes, completed, synthesized } = settled;
    const isForeign = settled.session === NOBODY;
    const added = settled.added ?? settled.oids;
    kept.row = {
      ...kept.row,
      ...repairedCounts(changes, settled.oids, isForeign),
      repair: synthesized > 0 ? "synthesized" : "completed",
      isObserved,
      added: oidCount(added),
      clients: completed + synthesized,
      toldMs: Math.max(0, nowMs - kept.atMs),
    };
    kept.oids = keepOids(settled.oids, isForeign ? undefined : changes, added);
    this.#change(kept);
  }

  /** One that settled before anybody listened. */
  #unheard(place: StoragePlace, { tid, session }: Settled, nowMs: number): Kept {
    const source = session === NOBODY ? "foreign" : "client";
    const counts = { objects: null, ...UNKNOWN };
    return this.#put(place, tid, { source, client: place.client ?? null }, counts, NOTHING_KEPT, nowMs);
  }

  #put(
    place: StoragePlace,
    tid: Tid,
    source: Pick<Row, "source" | "client">,
    counts: Pick<Row, "objects" | keyof SortCounts>,
    oids: KeptOids,
    nowMs: number,
  ): Kept {
    const known = this.#find(place, tid);
    if (known !== undefined) {
      // Whose client has committed it, of that nobody else says more: of others' clients, it did not pass through there.
      if (known.row.source === "client" && source.source === "foreign") return known;
      // It was told as the server named it, and has been read since.
      if (counts.objects !== null) {
        known.row = { ...known.row, ...counts, ...source };
        known.oids = oids;
        this.#change(known);
      }
      return known;
    }
    const id = this.#next++;
    const { upstream, storage } = place;
    const row: Row = {
      id,
      tid: tidHex(tid),
      timeMs: tidTimeMs(tid),
      upstream,
      storage: storage.slice(0, MOST_NAME),
      ...source,
      ...counts,
      repair: "none",
      isObserved: false,
      added: 0,
      clients: 0,
      toldMs: null,
    };
    const kept = { row, atMs: nowMs, oids, change: 0 };
    const old = this.#kept[id % this.#capacity];
    if (old !== undefined) this.#forget(old);
    this.#kept[id % this.#capacity] = kept;
    this.#ids.set(keyOf(row), id);
    this.#newest.set(row.tid, id);
    this.#change(kept);
    return kept;
  }

  #forget({ row }: Kept): void {
    const key = keyOf(row);
    if (this.#ids.get(key) === row.id) this.#ids.delete(key);
    if (this.#newest.get(row.tid) === row.id) this.#newest.delete(row.tid);
  }

  #change(kept: Kept): void {
    kept.change = this.#changes++;
    this.#changed[kept.change % this.#changed.length] = kept.row.id;
  }

  #find({ upstream, storage }: StoragePlace, tid: Tid): Kept | undefined {
    const key = keyOf({ upstream, storage: storage.slice(0, MOST_NAME), tid: tidHex(tid) });
    const id = this.#ids.get(key);
    return id === undefined ? undefined : this.#at(id);
  }

  /** The same storage by another door: whose client has left, or is nobody, is told for the last one that was used. */
  #elsewhere({ storage }: StoragePlace, tid: Tid): Kept | undefined {
    const id = this.#newest.get(tidHex(tid));
    const found = id === undefined ? undefined : this.#at(id);
    return found?.row.storage === storage.slice(0, MOST_NAME) ? found : undefined;
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
      if (kept?.change === i) rows.push(kept.row);
    }
    return rows;
  }

  /** At most `most` of the rows before that id, newest first. */
  before(id: number, most: number): Row[] {
    const rows: Row[] = [];
    for (let i = id - 1; i >= this.first && rows.length < most; i--) {
      const kept = this.#at(i);
      if (kept !== undefined) rows.push(kept.row);
    }
    return rows;
  }

  /** The newest one with that tid, of that upstream and storage where they are named. */
  view(tid: string, upstream?: string, storage?: string): TransactionView | undefined {
    for (const { row, oids } of this.#newestFirst()) {
      if (row.tid !== tid || (upstream ?? row.upstream) !== row.upstream) continue;
      if ((storage ?? row.storage) === row.storage) return { ...row, oids: oidViews(oids) };
    }
    return undefined;
  }

  /** Those that an id, as somebody types it, is the tid of, or the oid of an object that they have changed. */
  search(query: string): Found {
    const id = idIn(query);
    const rows: Row[] = [];
    let isCut = false;
    let uncertain = 0;
    const oid = Buffer.from(id ?? "", "hex");
    for (const { row, oids } of id === null ? [] : this.#newestFirst()) {
      if (row.tid === id || holds(oids, oid)) {
        if (rows.length < MOST_FOUND) rows.push(row);
        else isCut = true;
      } else if (!oids.isAll) uncertain++;
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

function repairedCounts(changes: Changes, oids: OidSet, isForeign: boolean): Pick<Row, "objects" | keyof SortCounts> {
  return { objects: oidCount(oids), ...(isForeign ? UNKNOWN : countsOf(changes, oids)) };
}

function keyOf({ upstream, storage, tid }: Pick<Row, "upstream" | "storage" | "tid">): string {
  return `${tid} ${upstream.length} ${upstream}${storage}`;
}

/** 16 hex digits, from up to 16 with or without `0x` and zeros in front; null: it is no id. */
export function idIn(text: string): string | null {
  const digits = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text.trim())?.[1];
  return digits === undefined ? null : digits.toLowerCase().padStart(16, "0");
}
