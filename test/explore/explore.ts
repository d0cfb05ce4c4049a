import { Canonical } from "./canonical.ts";
import type { Violation } from "./client.ts";
import type { Config } from "./config.ts";
import { describeEvent } from "./describe.ts";
import { automatic, decisions, type Event } from "./events.ts";
import { rest } from "./rest.ts";
import { after, step } from "./step.ts";
import { Visited } from "./visited.ts";
import { initialWorld, type World } from "./world.ts";

export interface Result {
  readonly states: number;
  readonly depth: number;
  /** The first violation. */
  readonly violation: Violation | undefined;
  /** How it comes about. */
  readonly trace: readonly string[];
  /** Everything was looked at. */
  readonly complete: boolean;
}

/** So many states apart. */
const PROGRESS = 250_000;

/** Looks at every state, depth first, until the first violation. */
export function explore(c: Config, limit = Number.POSITIVE_INFINITY, progress?: (states: number) => void): Result {
  const canonical = new Canonical();
  const visited = new Visited(1 << 20);
  const isNewState = (w: World): boolean => {
    canonical.write(c, w);
    return visited.add(canonical.bytes, canonical.length);
  };
  const path: { world: World; events: Event[] }[] = [];
  const found = (violation: Violation, last?: Event): Result => {
    const events = path.map((node) => node.events[node.events.length - 1] as Event);
    if (last === undefined) events.pop();
    return { states: visited.size, depth, violation, trace: replay(c, events), complete: false };
  };
  let depth = 0;
  const enter = (w: World): Violation | undefined => {
    const events: Event[] = [];
    automatic(c, w, events);
    const violation = events.length === 0 ? rest(c, w) : undefined;
    decisions(c, w, events);
    path.push({ world: w, events });
    if (path.length > depth) depth = path.length;
    return violation;
  };
  const root = initialWorld(c);
  isNewState(root);
  enter(root);
  while (path.length > 0) {
    const node = path[path.length - 1] as { world: World; events: Event[] };
    const event = node.events[node.events.length - 1];
    if (event === undefined) {
      path.pop();
      path[path.length - 1]?.events.pop();
      continue;
    }
    const { next, violation } = after(c, node.world, event);
    if (violation !== undefined) return found(violation, event);
    if (isNewState(next)) {
      if (visited.size % PROGRESS === 0) progress?.(visited.size);
      if (visited.size >= limit)
        return { states: visited.size, depth, violation: undefined, trace: [], complete: false };
      const atRest = enter(next);
      if (atRest !== undefined) return found(atRest);
    } else {
      node.events.pop();
    }
  }
  return { states: visited.size, depth, violation: undefined, trace: [], complete: true };
}

interface Node {
  world: World | undefined;
  readonly parent: Node | undefined;
  readonly event: Event | undefined;
}

/** Breadth first, for the shortest trace of a violation; gives up after `limit` states. */
export function shortest(c: Config, limit: number): Result {
  const canonical = new Canonical();
  const visited = new Visited();
  let depth = 0;
  const report = (violation: Violation, node: Node, last?: Event): Result => {
    const events: Event[] = last === undefined ? [] : [last];
    for (let at: Node | undefined = node; at?.event !== undefined; at = at.parent) events.unshift(at.event);
    return { states: visited.size, depth, violation, trace: replay(c, events), complete: false };
  };
  let level: Node[] = [{ world: initialWorld(c), parent: undefined, event: undefined }];
  while (level.length > 0) {
    const below: Node[] = [];
    for (const node of level) {
      const { world } = node;
      if (world === undefined) continue;
      node.world = undefined;
      const events: Event[] = [];
      automatic(c, world, events);
      const atRest = events.length === 0 ? rest(c, world) : undefined;
      if (atRest !== undefined) return report(atRest, node);
      decisions(c, world, events);
      for (const event of events) {
        const { next, violation } = after(c, world, event);
        if (violation !== undefined) return report(violation, node, event);
        canonical.write(c, next);
        if (visited.add(canonical.bytes, canonical.length)) below.push({ world: next, parent: node, event });
      }
      if (visited.size >= limit)
        return { states: visited.size, depth, violation: undefined, trace: [], complete: false };
    }
    level = below;
    depth++;
  }
  return { states: visited.size, depth, violation: undefined, trace: [], complete: true };
}

/** The events of a trace, one line each, and what happens at once besides. */
export function replay(c: Config, events: readonly Event[]): string[] {
  const lines: string[] = [];
  const w = initialWorld(c);
  for (const [i, event] of events.entries()) {
    lines.push(`${String(i + 1).padStart(4)} ${describeEvent(w, event)}`);
    step(c, w, event, (text) => lines.push(text));
  }
  return lines;
}
