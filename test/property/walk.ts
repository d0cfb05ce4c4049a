import type { Violation } from "../explore/client.ts";
import type { Config } from "../explore/config.ts";
import { automatic, decisions, type Event } from "../explore/events.ts";
import { rest } from "../explore/rest.ts";
import { step } from "../explore/step.ts";
import { initialWorld, type World } from "../explore/world.ts";

/** How a walk through a world ended. */
export interface Walk {
  readonly violation: Violation | undefined;
  readonly events: readonly Event[];
}

/** Steps after which a world that does not come to rest is stuck in a circle. */
const RESTLESS = 10_000;

/**
 * `visit` sees the world after every event.
 *
 * Each choice picks one of the events that can happen (modulo their number). When the choices are used up, what
 * happens by itself goes on until nothing does; then everyone must know everything.
 */
export function walk(c: Config, choices: readonly number[], visit?: (w: World) => void): Walk {
  const w = initialWorld(c);
  const events: Event[] = [];
  for (const choice of choices) {
    const possible = all(c, w);
    const event = possible[choice % Math.max(possible.length, 1)];
    if (event === undefined) break;
    events.push(event);
    const violation = step(c, w, event);
    visit?.(w);
    if (violation !== undefined) return { violation, events };
  }
  for (let n = 0; n < RESTLESS; n++) {
    const alone: Event[] = [];
    automatic(c, w, alone);
    // Not always the first one: it would starve the others.
    const event = alone[n % Math.max(alone.length, 1)];
    if (event === undefined) return { violation: rest(c, w), events };
    events.push(event);
    const violation = step(c, w, event);
    visit?.(w);
    if (violation !== undefined) return { violation, events };
  }
  return { violation: "4 the world does not come to rest", events };
}

function all(c: Config, w: World): Event[] {
  const events: Event[] = [];
  automatic(c, w, events);
  decisions(c, w, events);
  return events;
}
