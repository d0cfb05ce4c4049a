import type { StoragePlace } from "../happening/happening.ts";
import { oidCount, type OidSet } from "../ledger/oid-set.ts";
import { tidHex, tidTimeMs, type Tid } from "../wire/ids.ts";
import { NOTHING_KEPT, type Counts, type KeptOids } from "./kept-oids.ts";
import type { Row } from "./messages.ts";

/** Storage names are a client's text. */
const MOST_NAME = 100;

export type Source = Pick<Row, "source" | "client">;
export type Repair = Pick<Row, "repair" | "isObserved" | "added" | "clients" | "toldMs">;

const UNREPAIRED: Repair = { repair: "none", isObserved: false, added: 0, clients: 0, toldMs: null };

/** One transaction. What each commit costs is this; its row is made when somebody looks. */
export class Kept {
  readonly id: number;
  readonly tid: Tid;
  readonly upstream: string;
  readonly storage: string;
  readonly atMs: number;
  source: Source;
  counts: Counts;
  oids: KeptOids = NOTHING_KEPT;
  repair: Repair = UNREPAIRED;
  /** The number of its last change. */
  change = 0;
  /** The next older one with its tid: of another upstream or storage. */
  older: Kept | undefined;

  constructor(id: number, tid: Tid, { upstream, storage }: StoragePlace, source: Source, counts: Counts, atMs: number) {
    this.id = id;
    this.tid = tid;
    this.upstream = upstream;
    this.storage = nameOf(storage);
    this.source = source;
    this.counts = counts;
    this.atMs = atMs;
  }

  row(): Row {
    return {
      id: this.id,
      tid: tidHex(this.tid),
      timeMs: tidTimeMs(this.tid),
      upstream: this.upstream,
      storage: this.storage,
      ...this.source,
      ...this.counts,
      ...this.repair,
    };
  }
}

/** As much of a storage's name as is kept. */
export function nameOf(storage: string): string {
  return storage.length > MOST_NAME ? storage.slice(0, MOST_NAME) : storage;
}

/** Of a foreign one the sorts are not known; `oids`: undefined where it was not read. */
export function foreignCounts(oids: OidSet | undefined): Counts {
  const objects = oids === undefined ? null : oidCount(oids);
  return { objects, created: null, modified: null, restored: null, deleted: null };
}
