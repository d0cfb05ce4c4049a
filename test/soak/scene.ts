import { PeerError } from "../peers/client.ts";
import type { Random } from "../simulate/random.ts";
import type { ActorName } from "./options.ts";
import { pause } from "./pause.ts";
import type { Site } from "./site.ts";
import type { Tally } from "./tally.ts";

/** What everyone who takes part in front of one server has to know. */
export interface Scene {
  readonly site: Site;
  /** Its own, from the run's seed. */
  readonly random: Random;
  readonly tally: Tally;
  /** From then on nobody begins anything new. */
  readonly over: AbortSignal;
  readonly actors: ReadonlySet<ActorName>;
  /** Of the server, where there are `cuts`. */
  readonly breakOne: ((random: Random) => boolean) | undefined;
}

/** One of those who take part; resolves once it has left. */
export type Actor = (scene: Scene) => Promise<void>;

/** Each comes from an address of its own, so that what the log says of a client tells whose it was. */
export const ADDRESS = {
  real: "127.0.0.1",
  probes: "127.0.0.11",
  "half-open": "127.0.0.12",
  garbage: "127.0.0.13",
  slow: "127.0.0.14",
} as const;

/** Does it again and again, with pauses of `least` to `most` milliseconds, until it is over. */
export async function again(scene: Scene, least: number, most: number, work: () => Promise<void>): Promise<void> {
  while (!scene.over.aborted) {
    await work();
    await pause(scene.random.between(least, most), scene.over);
  }
}

/** What a client meets whose server connection is cut. */
const CUT_OFF = /Disconnected|ClientDisconnected|ConnectionError|BrokenPipe|ConnectionReset|StorageTransactionError/;

/** Must this client's error be put up with, since connections are cut? */
export function isCutOff(scene: Scene, error: unknown): boolean {
  return scene.actors.has("cuts") && error instanceof PeerError && CUT_OFF.test(error.message);
}

/** Carries out what a real client does. An error is a problem, unless its connection may have been cut: then false. */
export async function tryIt(scene: Scene, what: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isCutOff(scene, error)) scene.tally.add("interrupted");
    else scene.tally.problem(`${scene.site.name}: ${what} failed`, firstLine(error));
    return false;
  }
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n").slice(0, 1).join("");
}
