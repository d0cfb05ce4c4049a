import { Histogram } from "../storage/histogram.ts";
import { HOLD_BOUNDS_MS } from "../storage/storage-counts.ts";
import type { Storage } from "../storage/storage.ts";
import { tidTimeMs, type Tid } from "../wire/ids.ts";

/** So many storages have labels of their own; the others are one. */
export const MAX_STORAGES = 100;

const OTHER = "other";

/** The numbers of one storage, or of several that have the same labels. */
export class StorageReading {
  readonly server: string;
  readonly storage: string;
  commits = 0;
  foreign = 0;
  foreignRead = 0;
  repaired = { client: 0, foreign: 0 };
  completed = { client: 0, foreign: 0 };
  synthesized = { client: 0, foreign: 0 };
  late = 0;
  resumed = 0;
  oldAnswers = 0;
  oidsAdded = 0;
  resumesRefused = 0;
  questions = 0;
  finishing = 0;
  held = 0;
  readonly holdMs = new Histogram(HOLD_BOUNDS_MS);
  historyBytes = 0;
  transactions = 0;
  setbacks = 0;
  /** Undefined where there is to be no witness. */
  isWitnessUp: boolean | undefined;
  /** What the witness has not seen yet, as the difference of two tids' times; undefined where it has seen nothing. */
  witnessLagMs: number | undefined;
  reach: Tid | undefined;

  constructor(server: string, storage: string) {
    this.server = server;
    this.storage = storage;
  }

  /** Several storages, which share what can be added up and nothing else. */
  get isMany(): boolean {
    return this.server === OTHER && this.storage === OTHER;
  }

  add({ counts, figures, isWatched, setbacks }: Storage): void {
    this.commits += figures.commits;
    this.foreign += figures.foreign;
    this.foreignRead += figures.read;
    for (const source of ["client", "foreign"] as const) {
      this.repaired[source] += counts.repaired[source];
      this.completed[source] += counts.completed[source];
      this.synthesized[source] += counts.synthesized[source];
    }
    this.late += counts.late;
    this.resumed += counts.resumed;
    this.oldAnswers += counts.oldAnswers;
    this.oidsAdded += counts.oidsAdded;
    this.resumesRefused += counts.resumesRefused;
    this.questions += counts.questions;
    this.finishing += figures.finishing;
    this.held += figures.held;
    this.holdMs.addAll(counts.held);
    this.historyBytes += figures.historyBytes;
    this.transactions += figures.transactions;
    this.setbacks += setbacks;
    if (isWatched) this.isWitnessUp = this.isWitnessUp === true || figures.witness === "up";
    const lagMs = isWatched ? lagOf(figures) : undefined;
    if (lagMs !== undefined) this.witnessLagMs = Math.max(this.witnessLagMs ?? 0, lagMs);
    if (figures.reach !== undefined && (this.reach === undefined || figures.reach > this.reach)) {
      this.reach = figures.reach;
    }
  }
}

/** So much of the storage's time the witness has not seen; undefined where it has seen nothing yet. */
export function lagOf({ highest, readUpTo }: Storage["figures"]): number | undefined {
  if (readUpTo === undefined) return undefined;
  return highest > readUpTo ? tidTimeMs(highest) - tidTimeMs(readUpTo) : 0;
}

/** Of all storages that their servers have accepted: a name that only a client has said is no label. */
export function readStorages(storages: Iterable<Storage>): StorageReading[] {
  const readings = new Map<string, StorageReading>();
  for (const storage of storages) {
    if (!storage.isAccepted) continue;
    const { server, name } = storage;
    const key = `${server} ${name}`;
    const isNamed = readings.has(key) || readings.size < MAX_STORAGES;
    const reading =
      readings.get(isNamed ? key : OTHER) ?? new StorageReading(isNamed ? server : OTHER, isNamed ? name : OTHER);
    readings.set(isNamed ? key : OTHER, reading);
    reading.add(storage);
  }
  return [...readings.values()];
}
