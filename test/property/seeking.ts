import type { Violation } from "../explore/client.ts";
import { cloneWorld } from "../explore/clone.ts";
import type { Config } from "../explore/config.ts";
import { automatic, decisions, type Event } from "../explore/events.ts";
import { rest } from "../explore/rest.ts";
import { step } from "../explore/step.ts";
import { initialWorld, type World } from "../explore/world.ts";
import { Chance } from "./chance.ts";
import { sketch } from "./sketch.ts";

/** What a search came to. */
export interface Sought {
  readonly violation: Violation | undefined;
  /** How it comes about. */
  readonly events: readonly Event[];
  /** Outlines seen. */
  readonly outlines: number;
}

/** A place to set out from: the first world that was met with its outline. */
interface Place {
  readonly world: World;
  readonly way: Way | undefined;
  outings: number;
}

/** How a world came about, last event first. */
interface Way {
  readonly event: Event;
  readonly before: Way | undefined;
}

/** Places kept; beyond it a new one takes the place of another. */
const PLACES = 3000;
/** Steps of an outing that lead to nothing new, before it only goes on to rest. */
const PATIENCE = 8;
/** Steps after which a world that does not come to rest is stuck in a circle. */
const RESTLESS = 10_000;

/**
 * A walk that looks for what it has not seen. It sets out again and again, from the outlines that it has set out from least,
 * takes what it has tried least there, and keeps every world with a new outline as a place to set out from. Each outing ends
 * at rest, where everyone must know everything.
 */
export class Seeking {
  readonly #config: Config;
  readonly #chance: Chance;
  readonly #places: Place[] = [];
  readonly #seen = new Set<number>();
  /** How often an event was taken at an outline. */
  readonly #taken = new Map<number, number>();
  #left: number;

  constructor(config: Config, seed: number, steps: number) {
    this.#config = config;
    this.#chance = new Chance(seed);
    this.#left = steps;
  }

  run(): Sought {
    const world = initialWorld(this.#config);
    this.#seen.add(sketch(this.#config, world));
    this.#places.push({ world, way: undefined, outings: 0 });
    while (this.#left > 0) {
      const found = this.#outing(this.#choosePlace());
      if (found !== undefined) return { ...found, outlines: this.#seen.size };
    }
    return { violation: undefined, events: [], outlines: this.#seen.size };
  }

  #choosePlace(): Place {
    const some = [this.#chance.among(this.#places), this.#chance.among(this.#places), this.#chance.among(this.#places)];
    const place = some.reduce((best, one) => (one.outings < best.outings ? one : best));
    place.outings++;
    return place;
  }

  #outing(from: Place): Omit<Sought, "outlines"> | undefined {
    const c = this.#config;
    const w = cloneWorld(from.world, true);
    let { way } = from;
    let outline = sketch(c, w);
    let patience = PATIENCE;
    for (let n = 0; n < RESTLESS; n++) {
      const events: Event[] = [];
      automatic(c, w, events);
      const atRest = events.length === 0;
      if (atRest) {
        const violation = rest(c, w);
        if (violation !== undefined) return { violation, events: eventsOf(way) };
      }
      if (patience > 0) decisions(c, w, events);
      if (events.length === 0) return undefined;
      const event = this.#least(outline, events);
      way = { event, before: way };
      this.#left--;
      const violation = step(c, w, event);
      if (violation !== undefined) return { violation, events: eventsOf(way) };
      outline = sketch(c, w);
      if (this.#isNew(outline)) {
        patience = PATIENCE;
        this.#keep({ world: cloneWorld(w, true), way, outings: 0 });
      } else {
        patience--;
      }
    }
    return { violation: "4 the world does not come to rest", events: eventsOf(way) };
  }

  /** What was taken least at this outline. */
  #least(outline: number, events: readonly Event[]): Event {
    let least: Event[] = [];
    let count = Number.POSITIVE_INFINITY;
    for (const event of events) {
      const taken = this.#taken.get(keyOf(outline, event)) ?? 0;
      if (taken < count) {
        least = [];
        count = taken;
      }
      if (taken === count) least.push(event);
    }
    const event = this.#chance.among(least);
    this.#taken.set(keyOf(outline, event), count + 1);
    return event;
  }

  #isNew(outline: number): boolean {
    if (this.#seen.has(outline)) return false;
    this.#seen.add(outline);
    return true;
  }

  #keep(place: Place): void {
    if (this.#places.length < PLACES) this.#places.push(place);
    else this.#places[this.#chance.below(PLACES)] = place;
  }
}

function keyOf(outline: number, { type, a, b }: Event): number {
  let hash = outline ^ (a << 8) ^ (b << 12);
  for (let at = 0; at < type.length; at++) hash = Math.imul(hash ^ type.charCodeAt(at), 0x01000193);
  return hash;
}

function eventsOf(way: Way | undefined): Event[] {
  const events: Event[] = [];
  for (let at = way; at !== undefined; at = at.before) events.unshift(at.event);
  return events;
}
