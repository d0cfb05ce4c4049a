import type { PeerServer } from "../peers/server.ts";
import type { Random } from "../simulate/random.ts";
import { pause } from "../soak/pause.ts";
import type { Cause } from "./options.ts";
import type { ProxyProcess } from "./proxy-process.ts";
import type { Troupe } from "./troupe.ts";
import type { Weather } from "./weather.ts";

export interface Ground {
  readonly server: PeerServer;
  readonly proxies: readonly ProxyProcess[];
  /** Before each proxy, and behind all of them. */
  readonly before: readonly Weather[];
  readonly behind: Weather;
  readonly troupe: Troupe;
  /** Of the cache files of a troupe that was killed. */
  readonly keepCopies: () => Promise<void>;
}

/** When nobody could reach the server: in ms since 1970. */
export interface Away {
  readonly from: number;
  readonly to: number;
}

export interface Done {
  /** How often what was done, by its name. */
  readonly counts: Map<string, number>;
  readonly away: Away[];
}

type Act = () => Promise<void> | void;

/** So long is something away that was killed. */
const MOST_DOWN_MS = 600;

/** Breaks what may be broken, at moments that chance chooses, until the signal. */
export async function storm(
  ground: Ground,
  causes: ReadonlySet<Cause>,
  random: Random,
  over: AbortSignal,
): Promise<Done> {
  const done: Done = { counts: new Map(), away: [] };
  const network = networkActs(ground, causes, random.fork(0));
  const deaths = deathActs(ground, causes, random.fork(1), done);
  await Promise.all([
    again(network, random.fork(2), [30, 500], done, over),
    again(deaths, random.fork(3), [200, 1_500], done, over),
  ]);
  return done;
}

async function again(
  acts: readonly (readonly [string, Act])[],
  random: Random,
  [least, most]: readonly [number, number],
  done: Done,
  over: AbortSignal,
): Promise<void> {
  if (acts.length === 0) return;
  for (;;) {
    await pause(random.between(least, most), over);
    if (over.aborted) return;
    const [name, act] = random.pick(acts);
    done.counts.set(name, (done.counts.get(name) ?? 0) + 1);
    await act();
  }
}

function networkActs({ before, behind }: Ground, causes: ReadonlySet<Cause>, random: Random): [string, Act][] {
  const acts: [string, Act][] = [];
  if (causes.has("slow")) {
    acts.push(["stalls before", () => random.pick(before).stall(random.between(20, 500))]);
    acts.push(["stalls behind", () => behind.stall(random.between(20, 500))]);
  }
  if (causes.has("client-cuts")) {
    acts.push(["resets before", () => random.pick(before).reset()]);
    acts.push(["half-closes before", () => random.pick(before).halfClose()]);
  }
  if (causes.has("server-cuts")) {
    acts.push(["resets behind", () => behind.reset()]);
    acts.push(["half-closes behind", () => behind.halfClose()]);
  }
  return acts;
}

function deathActs(ground: Ground, causes: ReadonlySet<Cause>, random: Random, done: Done): [string, Act][] {
  const { server, proxies, before, behind, troupe } = ground;
  const acts: [string, Act][] = [];
  if (causes.has("proxy-kills")) {
    for (const how of ["kill", "term"] as const) {
      acts.push([
        `proxy ${how}s`,
        () => {
          const proxy = random.pick(proxies);
          return goneFor(before[proxies.indexOf(proxy)], () => proxy.restart(how, random.between(0, MOST_DOWN_MS)));
        },
      ]);
    }
  }
  if (causes.has("server-kills")) {
    for (const [how, graceMs] of [
      ["kill", 0],
      ["term", 3_000],
    ] as const) {
      acts.push([
        `server ${how}s`,
        async () => {
          const from = Date.now();
          await goneFor(behind, () => server.restart(random.between(0, MOST_DOWN_MS), graceMs));
          done.away.push({ from, to: Date.now() });
        },
      ]);
    }
  }
  if (causes.has("client-kills")) {
    acts.push(["client kills", () => troupe.killAndReplace(random.below(1_000_000), ground.keepCopies)]);
  }
  return acts;
}

/** The relay accepts nobody while there is nobody behind it. */
async function goneFor(weather: Weather | undefined, restart: () => Promise<void>): Promise<void> {
  weather?.shut();
  await restart();
  weather?.open();
}
