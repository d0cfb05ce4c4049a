import { announcedOids, announcedTid, announcementLength } from "../wire/announcement.ts";
import type { Client } from "../wire/client.ts";

/**
 * What a client must be told: each of the others' commits once, in order, with every oid. All commits of a scenario have
 * as many oids, so the length of an announcement says how many it has.
 */
export class Observer {
  announced = 0;
  #lastTid = 0;
  readonly #length: number;
  readonly #isOld: boolean;
  readonly #told: () => void;

  constructor(oids: number, told: () => void, isOld = false) {
    this.#length = announcementLength(oids, isOld);
    this.#isOld = isOld;
    this.#told = told;
  }

  /** Of a client that does nothing else. */
  listen(client: Client): void {
    client.onFrame((bytes, start, _end, length) => this.told(bytes, start, length));
  }

  told(bytes: Buffer, start: number, length: number): void {
    if (length !== this.#length) throw new Error(`an announcement of ${length} bytes, not ${this.#length}: incomplete`);
    const tid = announcedTid(bytes, start, this.#isOld);
    if (tid <= this.#lastTid) throw new Error(`tid ${tid} was announced after ${this.#lastTid}`);
    this.#lastTid = tid;
    this.announced++;
    this.#told();
  }
}

/** Looks once at every oid of the next announcement; `expected` ascending. */
export function nextOids(client: Client, expected: () => readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    client.onWholeFrame((frame) => {
      const announced = announcedOids(frame, client.isOld).sort();
      const wanted = expected();
      if (announced.length === wanted.length && announced.every((oid, i) => oid === wanted[i])) resolve();
      else reject(new Error(`announced: ${someOf(announced)}; committed: ${someOf(wanted)}`));
    });
  });
}

const SHOWN = 20;

function someOf(oids: readonly string[]): string {
  const more = oids.length > SHOWN ? ` and ${oids.length - SHOWN} more` : "";
  return oids.slice(0, SHOWN).join() + more;
}
