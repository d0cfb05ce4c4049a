import { formatAddress } from "../config/address.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import type { Report } from "../happening/happening.ts";
import { systemClock } from "../net/system-clock.ts";
import type { Feed } from "../page/feed.ts";
import type { Memory, Share } from "../session/memory.ts";
import type { Storage, WitnessMaker } from "../storage/storage.ts";
import { Storages } from "../storage/storages.ts";
import type { StoragesFinder } from "../upstream/tries.ts";
import type { Transport } from "../upstream/transport.ts";
import { WitnessPair } from "../witness/pair.ts";
import type { KeptUpstream } from "./reloadable.ts";
import { findKeys } from "./server-keys.ts";
import type { Settings } from "./settings.ts";
import type { Open } from "./upstreams.ts";

export interface ServersHost {
  readonly settings: Settings;
  readonly report: Report;
  readonly memory: Memory;
  readonly feed: Feed | undefined;
  /** A witness of that server has lost its connection to it. */
  witnessLost(storages: Storages): void;
}

/** What is known of a server, and how its witnesses reach it: as the upstream does that has found it, or its heir. */
interface Known {
  readonly storages: Storages;
  reach: { readonly transport: Transport };
}

/** The servers that upstreams lead to, and what is known of them. Upstreams that lead to one share it. */
export class Servers {
  readonly #host: ServersHost;
  readonly #known = new Map<string, Known>();

  constructor(host: ServersHost) {
    this.#host = host;
  }

  /** Of each server. */
  get all(): Storages[] {
    return [...new Set([...this.#known.values()].map(({ storages }) => storages))];
  }

  get storages(): Storage[] {
    return this.all.flatMap((storages) => [...storages.all()]);
  }

  /** Those of observed sessions. */
  get shadows(): Storage[] {
    return this.all.flatMap((storages) => [...storages.allShadows()]);
  }

  /** What finds out which server that upstream's is, at each of its places. */
  finder(config: UpstreamConfig, transport: Transport): StoragesFinder {
    return (found, failed, server) => {
      const there = { ...config, server };
      return findKeys(there, (keys) => found(this.#at(there, transport, keys)), failed);
    };
  }

  #at(config: UpstreamConfig, transport: Transport, keys: readonly string[]): Storages {
    const known = keys.map((key) => this.#known.get(key)).find((one) => one !== undefined);
    const server = known ?? this.#make(config, transport);
    for (const key of keys) this.#known.set(key, server);
    return server.storages;
  }

  #make({ server, witness }: UpstreamConfig, transport: Transport): Known {
    const { feed, memory, report, settings } = this.#host;
    const reach = { transport };
    const known: Known = {
      reach,
      storages: new Storages(formatAddress(server), {
        clock: systemClock,
        report,
        historyBytes: settings.limits.historyBytes,
        tellsCommits: feed !== undefined,
        held: feed?.held.bind(feed),
        share: (free: () => void): Share => memory.share(free),
        witnessLost: () => this.#host.witnessLost(known.storages),
        witness:
          witness === "on"
            ? { of: this.#witnessOf(server, () => known.reach.transport), settings: settings.witness }
            : undefined,
      }),
    };
    return known;
  }

  #witnessOf(server: UpstreamConfig["server"], transport: () => Transport): WitnessMaker {
    const { limits, witness } = this.#host.settings;
    // What may change is asked for when it is needed.
    const dialling = {
      clock: systemClock,
      get transport() {
        return transport();
      },
      get timeoutMs() {
        return limits.handshakeMs;
      },
    };
    const bounds = {
      get transactions() {
        return witness.transactions;
      },
      get rangeMs() {
        return witness.rangeMs;
      },
      // Soon enough for a second one to answer before those who wait are given up.
      get stallMs() {
        return witness.holdMs / 4;
      },
    };
    return (storage, family) => (told) => new WitnessPair({ server, storage, family, dialling, told, limits: bounds });
  }

  /** `limits.history` is another one from now on. */
  bound(historyBytes: number): void {
    for (const storages of this.all) storages.bound(historyBytes);
  }

  /** These upstreams may be called otherwise from now on. */
  rename(kept: readonly KeptUpstream[]): void {
    for (const { upstream, before, after } of kept) {
      if (before.name === after.name) continue;
      upstream.rename(after.name);
      this.#host.feed?.upstreamIs(after.name, before.name);
      upstream.storages?.upstreamIs(after.name, before.name);
    }
  }

  /**
   * Those upstreams are gone: what they have known of their servers is forgotten, unless one that is open shares it, or one that
   * is opened anew will. (That one does not know yet which server it is: it goes by the name, and by whether there is to be a
   * witness.)
   */
  forget(gone: readonly Open[], open: readonly Open[]): void {
    for (const { upstream, config } of gone) {
      const { storages } = upstream;
      if (storages === undefined) continue;
      storages.observedBy(upstream, false);
      const heir = open.find(({ upstream: one, config: its }) =>
        one.storages === undefined ? isHeir(its, config) : one.storages === storages,
      );
      this.#host.feed?.upstreamIs(heir?.upstream.name, upstream.name);
      if (heir === undefined) this.#drop(storages);
      else this.#bequeath(storages, heir, upstream.name);
    }
  }

  /** An upstream's server is at another place. Unless another upstream has its at that one, what was known of it is forgotten. */
  left(storages: Storages, open: readonly Open[]): void {
    if (!open.some(({ upstream }) => upstream.storages === storages)) this.#drop(storages);
  }

  #drop(storages: Storages): void {
    storages.stop();
    for (const [key, known] of this.#known) if (known.storages === storages) this.#known.delete(key);
  }

  #bequeath(storages: Storages, { upstream, ways }: Open, before: string): void {
    storages.upstreamIs(upstream.name, before);
    for (const known of this.#known.values()) if (known.storages === storages) known.reach = ways;
  }
}

/** Does it lead to the same server as that one, and look at it in the same way? */
function isHeir({ server, witness }: UpstreamConfig, before: UpstreamConfig): boolean {
  return formatAddress(server) === formatAddress(before.server) && witness === before.witness;
}
