import type { MessageId } from "../wire/codec.ts";
import { Skim, skimmedId, type SkimmedId } from "../wire/skim.ts";

/** Numbers of an entry: the id's, whether it is a pair, and the note. */
const WIDTH = 6;
const PAIR = 4;
const NOTE = 5;
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

const key = new Skim();

/**
 * A note, which is a number, for each call that waits for its reply; of two with one id the older one is found first. A ring
 * of numbers in the order of sending, as servers answer nearly in that order: nothing is made for a call. Where they do not,
 * where too many wait, and for ids that are no numbers, a map. And most clients wait for one call at a time: that stands here.
 */
export class PlainCalls implements SkimmedId {
  /** The call that waits while it is the only one, and its note. */
  #isOne = false;
  isPair = false;
  a = 0;
  b = 0;
  c = 0;
  d = 0;
  #note = 0;
  /** How many wait in the ring. */
  #waiting = 0;
  /** Which entry is the oldest, and which would be the next. */
  #first = 0;
  #next = 0;
  #ring = NO_RING;
  /** One less than the entries that it has room for: a power of two. */
  #mask = -1;
  #map: Map<MessageId, number> | undefined;

  get size(): number {
    return (this.#isOne ? 1 : 0) + this.#waiting + this.#mapped;
  }

  /** Memory of those that wait. */
  get bytes(): number {
    return (this.#waiting === 0 ? 0 : this.#ring.byteLength) + this.#mapped * MAP_ENTRY_BYTES;
  }

  get #mapped(): number {
    return this.#map === undefined ? 0 : this.#map.size;
  }

  /** `note`: zero or more. */
  add(id: MessageId, note: number): void {
    if (key.setId(id)) this.addSkimmed(key, note);
    else this.#intoMap(id, note);
  }

  addSkimmed(id: SkimmedId, note: number): void {
    if (this.#isOne) this.#moveOne();
    else if (this.#waiting === 0 && this.#mapped === 0) {
      this.#isOne = true;
      this.isPair = id.isPair;
      this.a = id.a;
      this.b = id.b;
      this.c = id.c;
      this.d = id.d;
      this.#note = note;
      return;
    }
    this.#append(id, note);
  }

  /** Its note; undefined: none waits. */
  find(id: MessageId): number | undefined {
    if (!key.setId(id)) return this.#map?.get(id);
    if (this.#isOne) return this.#isIt(key) ? this.#note : undefined;
    const found = this.#seek(key, MAX_ENTRIES);
    return found < 0 ? this.#map?.get(id) : this.#ring[found + NOTE];
  }

  /** The same, and it waits no more. */
  take(id: MessageId): number | undefined {
    return key.setId(id) ? this.takeSkimmed(key) : this.#takeMapped(id);
  }

  takeSkimmed(id: SkimmedId): number | undefined {
    if (this.#isOne) {
      if (!this.#isIt(id)) return undefined;
      this.#isOne = false;
      return this.#note;
    }
    const found = this.#seek(id, MAX_LOOK);
    if (found >= 0) return this.#takeAt(found);
    if (this.#next - this.#first > MAX_LOOK) this.#mapAll();
    return this.#mapped > 0 ? this.#takeMapped(skimmedId(id)) : undefined;
  }

  // --- the only one -----------------------------------------------------------------------------------------------

  #isIt(id: SkimmedId): boolean {
    return id.a === this.a && id.b === this.b && id.c === this.c && id.d === this.d && id.isPair === this.isPair;
  }

  /** It is the only one no more. */
  #moveOne(): void {
    this.#isOne = false;
    this.#append(this, this.#note);
  }

  // --- the map ----------------------------------------------------------------------------------------------------

  #intoMap(id: MessageId, note: number): void {
    if (this.#isOne) this.#moveOne();
    this.#map ??= new Map();
    this.#map.set(id, note);
  }

  #takeMapped(id: MessageId): number | undefined {
    const note = this.#map?.get(id);
    if (note !== undefined) this.#map?.delete(id);
    return note;
  }

  // --- the ring ---------------------------------------------------------------------------------------------------

  #append(id: SkimmedId, note: number): void {
    if (this.#mapped > 0 || !this.#hasRoom()) {
      this.#intoMap(skimmedId(id), note);
      return;
    }
    const ring = this.#ring;
    const at = this.#at(this.#next++);
    ring[at] = id.a;
    ring[at + 1] = id.b;
    ring[at + 2] = id.c;
    ring[at + 3] = id.d;
    ring[at + PAIR] = id.isPair ? 1 : 0;
    ring[at + NOTE] = note;
    this.#waiting++;
  }

  /** Where in the ring an entry stands. */
  #at(entry: number): number {
    return (entry & this.#mask) * WIDTH;
  }

  /** Among so many of the oldest entries; -1: it is none of them. */
  #seek({ isPair, a, b, c, d }: SkimmedId, most: number): number {
    const ring = this.#ring;
    const sort = isPair ? 1 : 0;
    const end = Math.min(this.#next, this.#first + most);
    for (let entry = this.#first; entry < end; entry++) {
      const at = this.#at(entry);
      if (ring[at + 3] !== d || ring[at] !== a || ring[at + 1] !== b || ring[at + 2] !== c) continue;
      if (ring[at + PAIR] === sort && ring[at + NOTE] !== ANSWERED) return at;
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
    const entries = this.#mask + 1;
    if (this.#next - this.#first < entries) return true;
    if (entries === MAX_ENTRIES) {
      this.#mapAll();
      return this.#mapped === 0;
    }
    const larger = new Float64Array(Math.max(FIRST_ENTRIES, entries * 2) * WIDTH);
    let count = 0;
    for (const at of this.#entries()) larger.set(this.#ring.subarray(at, at + WIDTH), WIDTH * count++);
    this.#ring = larger;
    this.#mask = larger.length / WIDTH - 1;
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

  #mapAll(): void {
    const ring = this.#ring;
    for (const at of this.#entries()) {
      const [a = 0, b = 0, c = 0, d = 0, sort = 0, note = 0] = ring.subarray(at, at + WIDTH);
      this.#intoMap(skimmedId({ isPair: sort === 1, a, b, c, d }), note);
    }
    this.#empty(NO_RING);
  }

  #empty(ring: Float64Array<ArrayBuffer>): void {
    this.#ring = ring;
    this.#mask = ring.length / WIDTH - 1;
    this.#first = this.#next = this.#waiting = 0;
  }
}
