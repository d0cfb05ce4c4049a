/** Something that will happen. */
export interface Planned {
  readonly at: number;
  readonly sequence: number;
  work: (() => void) | undefined;
}

/** What happens when: a heap of events, ordered by time, then by when they were planned. Times in microseconds. */
export class Timeline {
  readonly #heap: Planned[] = [];
  #now = 0;
  #sequence = 0;
  /** Events that have happened. */
  count = 0;

  get now(): number {
    return this.#now;
  }

  /** Plans `work` in so many microseconds. Setting its `work` to undefined takes it back. */
  plan(inUs: number, work: () => void): Planned {
    const event: Planned = { at: this.#now + inUs, sequence: this.#sequence++, work };
    const heap = this.#heap;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up] as Planned;
      if (!isBefore(event, parent)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = event;
    return event;
  }

  /** The next event happens. False: there is none, or none until `until`. */
  step(until: number): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) return false;
      this.#removeFirst();
      const { work } = first;
      if (work === undefined) continue;
      this.#now = first.at;
      this.count++;
      first.work = undefined;
      work();
      return true;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Planned;
    const { length } = heap;
    if (length === 0) return;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= length) break;
      if (down + 1 < length && isBefore(heap[down + 1] as Planned, heap[down] as Planned)) down++;
      const child = heap[down] as Planned;
      if (!isBefore(child, last)) break;
      heap[i] = child;
      i = down;
    }
    heap[i] = last;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
