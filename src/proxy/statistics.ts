import type { Counters } from "../report/counters.ts";
import type { Storage } from "../storage/storage.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { tidHex } from "../wire/ids.ts";
import type { ProxyStats, StorageStats, UpstreamStats } from "./api.ts";

export interface Counted {
  readonly upstreams: readonly Upstream[];
  readonly storages: readonly Storage[];
  /** Those of observed sessions. */
  readonly shadows: readonly Storage[];
  readonly counters: Counters;
}

/** What a proxy has counted since it started, and how its upstreams are now. */
export function statisticsOf({ upstreams, storages, shadows, counters }: Counted): ProxyStats {
  const { completed, synthesized, late, resumed, tooOld, guard, questions, ended, observed } = counters;
  return {
    upstreams: upstreams.map((upstream) => upstreamStats(upstream, counters)),
    storages: [
      ...storages.map((storage) => storageStats(storage, false)),
      ...shadows.map((storage) => storageStats(storage, true)),
    ],
    observed: { ...observed },
    completed,
    synthesized,
    late,
    resumed,
    tooOld,
    ended: Object.fromEntries(ended),
    guard,
    questions,
  };
}

function upstreamStats(upstream: Upstream, { relayed, refused }: Counters): UpstreamStats {
  return {
    name: upstream.name,
    listen: upstream.listen,
    server: upstream.serverAddress,
    addresses: upstream.serverAddresses,
    state: upstream.state,
    repair: upstream.repair,
    observed: upstream.observed,
    clients: upstream.clients,
    accepted: upstream.accepted,
    unrepaired: Object.fromEntries(relayed.get(upstream.name) ?? []),
    refused: Object.fromEntries(refused.get(upstream.name) ?? []),
  };
}

function storageStats(storage: Storage, observed: boolean): StorageStats {
  const { known, ...facts } = storage.ledger.facts;
  const { server, name, setbacks } = storage;
  const { family } = storage.ledger;
  return { server, storage: name, family, observed, ...facts, setbacks, known: tidHex(known) };
}
