import { setMaxListeners } from "node:events";
import { Random } from "../simulate/random.ts";
import { castWith } from "./cast.ts";
import { Observers } from "./observers.ts";
import { ACTORS, type ActorName } from "./options.ts";
import { pause, within } from "./pause.ts";
import { firstLine, type Actor, type Scene } from "./scene.ts";
import type { Site } from "./site.ts";
import type { Tally } from "./tally.ts";

/** Whoever is told that it is over finishes what it has begun. Only a hang reaches it. */
const LEAVE_MS = 120_000;

export interface PartOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly actors: ReadonlySet<ActorName>;
  /** By site: breaks a server connection. */
  readonly breakOne: (site: Site) => Scene["breakOne"];
}

/** Everyone comes, does what they do for so long, and leaves; then the observers are compared with the truth. */
export async function playPart(sites: readonly Site[], tally: Tally, options: PartOptions): Promise<void> {
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const chance = new Random(options.seed);
  const playing = sites.map((site) => play(site, tally, { ...options, over: over.signal, random: chance.fork(0) }));
  await pause(options.seconds * 1000);
  over.abort();
  await Promise.all(playing);
}

async function play(
  site: Site,
  tally: Tally,
  { actors, breakOne, over, random }: PartOptions & Pick<Scene, "over" | "random">,
): Promise<void> {
  const observers = new Observers(site, tally);
  const cast = castWith(observers);
  const scene = (label: number): Scene => {
    // Each has choices of its own, whoever else takes part.
    return { site, tally, over, actors, random: random.fork(label), breakOne: breakOne(site) };
  };
  const playing = async (name: string, actor: Actor, own: Scene): Promise<void> => {
    const gone = actor(own).catch((error: unknown) => {
      tally.problem(`${site.name}: the ${name} could not go on`, firstLine(error));
    });
    await Promise.race([gone, end(over)]);
    if (!(await within(gone, LEAVE_MS))) tally.problem(`${site.name}: the ${name} do not come to an end`);
  };
  try {
    await observers.enter(random);
    const scenes = ACTORS.map((name, i) => ({ name, own: scene(i) }));
    const others = scenes.filter(({ name }) => actors.has(name));
    const watching = playing("observers", observers.watcher, scene(ACTORS.length));
    await Promise.all([watching, ...others.map(({ name, own }) => playing(name, cast[name], own))]);
    await end(over);
    await observers.settle(scene(ACTORS.length + 1));
    await observers.leave();
  } catch (error) {
    tally.problem(`${site.name}: the observers could not go on`, firstLine(error));
  }
  await site.leave();
}

async function end(over: AbortSignal): Promise<void> {
  if (!over.aborted) await new Promise((resolve) => over.addEventListener("abort", resolve));
}
