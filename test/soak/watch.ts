import { mebibytes } from "./measure.ts";
import type { ActorName } from "./options.ts";
import type { ProxyProcess } from "./proxy-process.ts";
import type { Ended } from "./runner-asks.ts";
import { ADDRESS } from "./scene.ts";
import type { Tally } from "./tally.ts";

const EVERY_MS = 10_000;

/** Bugs of the proxy, whoever's session it is. */
const OF_THE_PROXY = /^(guard-.*|internal-error|commit-out-of-order)$/;
/** What may end a real client's session while its server connections are cut. */
const OF_CUTS = new Set(["unknown-commit", "incomplete-undo", "truncated-frame"]);
/** A client that is killed while it writes. */
const OF_KILLS = new Set(["truncated-frame"]);

/** Looks at the proxy from outside all the time: a line each ten seconds, and what must not happen. */
export class Watch {
  readonly #proxy: ProxyProcess;
  readonly #tally: Tally;
  readonly #actors: ReadonlySet<ActorName>;
  readonly #start = performance.now();
  readonly #listening = new Set<string>();
  readonly #ended = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();
  #stoodMs = 0;

  constructor(proxy: ProxyProcess, tally: Tally, actors: ReadonlySet<ActorName>) {
    this.#proxy = proxy;
    this.#tally = tally;
    this.#actors = actors;
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look(true));
    }, EVERY_MS);
  }

  /** A last look. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#look(false);
  }

  /** Sessions that the proxy ended, by who they were and why. */
  get ended(): string {
    return [...this.#ended].map(([what, count]) => `${what} ${count}`).join(", ") || "none";
  }

  /** The longest that the proxy's loop stood, in milliseconds. */
  get stoodMs(): number {
    return this.#stoodMs;
  }

  async #look(prints: boolean): Promise<void> {
    try {
      const [news, stats, measure] = await Promise.all([
        this.#proxy.news(),
        this.#proxy.stats(),
        this.#proxy.measure(false),
      ]);
      for (const ended of news.ended) this.#hear(ended);
      for (const upstream of news.down) this.#tally.problem(`${upstream}: its server was taken for down`);
      for (const upstream of news.listening) this.#began(upstream);
      if (stats.guard > 0) this.#tally.problem("the guard refused an invalidation", `${stats.guard}`);
      for (const { name, state } of stats.upstreams) {
        if (state !== "listening" && state !== "down") this.#tally.problem(`${name}: not listening`, state);
      }
      this.#stoodMs = Math.max(this.#stoodMs, news.stoodMs);
      if (!prints) return;
      const seconds = Math.round((performance.now() - this.#start) / 1000);
      const { descriptors, heapBytes, externalBytes, residentBytes, clients } = measure;
      const memory = [heapBytes, externalBytes, residentBytes]
        .map(mebibytes)
        .join(" + ")
        .replace(/ \+ (?!.*\+)/, " of ");
      const sockets = descriptors["socket"] ?? 0;
      console.log(`${seconds} s: ${clients} clients, ${sockets} sockets, ${memory}; ${this.#tally.toString()}`);
    } catch (error) {
      this.#tally.problem("the proxy's process does not answer", String(error));
    }
  }

  /** Nothing that clients do makes it close the listening socket. */
  #began(upstream: string): void {
    if (this.#listening.has(upstream))
      this.#tally.problem(`${upstream}: it closed its listening socket, and opened it anew`);
    this.#listening.add(upstream);
  }

  #hear({ client, code }: Ended): void {
    const host = client.slice(0, client.lastIndexOf(":"));
    const who = Object.entries(ADDRESS).find(([, address]) => address === host)?.[0] ?? host;
    const what = `${who} ${code}`;
    this.#ended.set(what, (this.#ended.get(what) ?? 0) + 1);
    if (OF_THE_PROXY.test(code)) this.#tally.problem(`a bug of the proxy ended a session: ${what}`);
    if (who !== "real" && who !== "slow") return;
    if (this.#actors.has("cuts") && OF_CUTS.has(code)) return;
    if (this.#actors.has("kills") && OF_KILLS.has(code)) return;
    this.#tally.problem(`the proxy ended the session of a client: ${what}`);
  }
}
