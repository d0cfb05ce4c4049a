import { peerNamed } from "../peers/peers.ts";
import { Random } from "../simulate/random.ts";
import { CAUSES, type Cause, type Options, type ServerName } from "./options.ts";
import { FAIR, type Climate } from "./weather.ts";

/** What happens in one round; all of it is drawn from the seed. */
export interface Plan {
  readonly seed: number;
  readonly server: ServerName;
  readonly proxies: 1 | 2;
  /** They read the storage. */
  readonly isRead: boolean;
  readonly causes: ReadonlySet<Cause>;
  /** Between clients and proxy, and between proxy and server. */
  readonly before: Climate;
  readonly behind: Climate;
  /** Of servers that know it. */
  readonly msgpack: boolean;
}

const LIKELY = 0.6;

export function planOf(options: Options, round: number): Plan {
  const seed = options.seed + round;
  const random = new Random(seed);
  const server = options.servers[round % options.servers.length] ?? "zeo4-py36";
  // Drawn in any case, so that a seed leads to the same with one of them left out.
  const drawnProxies = random.chance(0.4) ? 2 : 1;
  const drawn = CAUSES.filter(() => random.chance(LIKELY));
  const causes = new Set(drawn.filter((cause) => options.causes.has(cause)));
  // A round without any would show nothing.
  const [only] = options.causes;
  if (causes.size === 0 && only !== undefined) causes.add(only);
  const climates = [climate(random), climate(random)] as const;
  const [before, behind] = causes.has("slow") ? climates : [FAIR, FAIR];
  const msgpack = random.chance(0.5) && peerNamed(server).family === "new";
  const isRead = options.witness !== "off";
  return { seed, server, proxies: options.proxies ?? drawnProxies, isRead, causes, before, behind, msgpack };
}

function climate(random: Random): Climate {
  return { delayMs: random.pick([0, 0, 2, 10]), slices: random.chance(0.4) };
}

/**
 * Do the proxies read all commits, or do all pass through one that sees them settle? Elsewhere a server may show a commit before
 * it tells of it, and nobody could know better.
 */
export function seesAll({ proxies, isRead, causes }: Plan): boolean {
  const others = ["direct", "proxy-kills", "server-kills", "server-cuts"] as const;
  if (isRead) return true;
  return proxies === 1 && others.every((cause) => !causes.has(cause));
}
