import type { MessageId } from "../wire/codec.ts";
import { skimmedId, Skim } from "../wire/skim.ts";

/** Numbers of an entry: the id's, and the note. */
const WIDTH = 5;
const NOTE = 4;
const FIRST_ENTRIES = 8;
/** So many stay when nobody waits. */
const KEPT_ENTRIES = 64;
/** Between the oldest and the newest. Beyond it ids are looked up in a map. */
const MAX_ENTRIES = 1024;
/** A server answers nearly in the order in which it was asked: so many entries are looked at. */
const MAX_LOOK = 32;
/** The note of what was answered before an older one. */
const ANSWERED = -1;
/** What an entry of a map takes up, with a number and an id that is a pair of oid and tid. */
const MAP_ENTRY_BYTES = 160;

const NO_RING = new Float64Array(0);

/**
 * A note, which is a number, for each call that waits for its reply; of two with one id the older one is found first. A ring
 * of numbers in the order of sending, as servers answer nearly in that order: nothing is made for a call. Where they do not,
 * where too many wait, and for ids that are no numbers, a map.
 */
export class PlainCalls {
  #ring = NO_RING;
  /** Which entry is the oldest, and which would be the next. */
  #first = 0;
  #next = 0;
  /** How many of them wait. */
  #waiting = 0;
  readonly #map = new Map<MessageId, number>();
  readonly #key = new Skim();

  get size(): number {
    return this.#waiting + this.#map.size;
  }

  /** Memory of those that wait. */
  get bytes(): number {
    if (this.#waiting === 0) return this.#map.size * MAP_ENTRY_BYTES;
    return this.#ring.byteLength + this.#map.size * MAP_ENTRY_BYTES;
  }

  /** `note`: zero or more. */
  add(id: MessageId, note: number): void {
    if (this.#key.setId(id)) this.addSkimmed(this.#key, note);
    else this.#map.set(id, note);
  }

  addSkimmed(id: Skim, note: number): void {
    if (this.#map.size > 0 || !this.#hasRoom()) {
      this.#map.set(id.id, note);
      return;
    }
    const ring = this.#ring;
    const at = this.#at(this.#next++);
    ring[at] = id.a;
    ring[at + 1] = id.b;
    ring[at + 2] = id.c;
    ring[at + 3] = id.d;
    ring[at + NOTE] = note;
    this.#waiting++;
  }

  /** Its note; undefined: none waits. */
  find(id: MessageId): number | undefined {
    const found = this.#key.setId(id) ? this.#seek(this.#key, MAX_ENTRIES) : -1;
    return found < 0 ? this.#map.get(id) : this.#ring[found + NOTE];
  }

  /** The same, and it waits no more. */
  take(id: MessageId): number | undefined {
    if (this.#key.setId(id)) return this.takeSkimmed(this.#key);
    return this.#takeMapped(id);
  }

  takeSkimmed(id: Skim): number | undefined {
    const found = this.#seek(id, MAX_LOOK);
    if (found >= 0) return this.#takeAt(found);
    if (this.#next - this.#first > MAX_LOOK) this.#intoMap();
    return this.#map.size > 0 ? this.#takeMapped(id.id) : undefined;
  }

  #takeMapped(id: MessageId): number | undefined {
    const note = this.#map.get(id);
    if (note !== undefined) this.#map.delete(id);
    return note;
  }

  /** Where in the ring an entry stands. */
  #at(entry: number): number {
    return (entry * WIDTH) % this.#ring.length;
  }

  /** Among so many of the oldest entries; -1: it is none of them. */
  #seek({ a, b, c, d }: Skim, most: number): number {
    const ring = this.#ring;
    const end = Math.min(this.#next, this.#first + most);
    for (let entry = this.#first; entry < end; entry++) {
      const at = this.#at(entry);
      if (ring[at + 3] !== d || ring[at] !== a || ring[at + 1] !== b || ring[at + 2] !== c) continue;
      if (ring[at + NOTE] !== ANSWERED) return at;
    }
    return -1;
  }

  #takeAt(found: number): number {
    const ring = this.#ring;
    const note = ring[found + NOTE] as number;
    ring[found + NOTE] = ANSWERED;
    this.#waiting--;
    while (this.#first < this.#next && ring[this.#at(this.#first) + NOTE] === ANSWERED) this.#first++;
    if (this.#waiting === 0) this.#empty(ring.length <= KEPT_ENTRIES * WIDTH ? ring : NO_RING);
    return note;
  }

  #hasRoom(): boolean {
    const entries = this.#ring.length / WIDTH;
    if (this.#next - this.#first < entries) return true;
    if (entries === MAX_ENTRIES) {
      this.#intoMap();
      return this.#map.size === 0;
    }
    const larger = new Float64Array(Math.max(FIRST_ENTRIES, entries * 2) * WIDTH);
    let count = 0;
    for (const at of this.#entries()) larger.set(this.#ring.subarray(at, at + WIDTH), WIDTH * count++);
    this.#ring = larger;
    this.#first = 0;
    this.#next = count;
    return true;
  }

  /** Where those stand that wait, the oldest first. */
  *#entries(): Generator<number> {
    for (let entry = this.#first; entry < this.#next; entry++) {
      const at = this.#at(entry);
      if (this.#ring[at + NOTE] !== ANSWERED) yield at;
    }
  }

  #intoMap(): void {
    const ring = this.#ring;
    for (const at of this.#entries()) {
      const [a = 0, b = 0, c = 0, d = 0, note = 0] = ring.subarray(at, at + WIDTH);
      this.#map.set(skimmedId(a, b, c, d), note);
    }
    this.#empty(NO_RING);
  }

  #empty(ring: Float64Array<ArrayBuffer>): void {
    this.#ring = ring;
    this.#first = this.#next = this.#waiting = 0;
  }
}
