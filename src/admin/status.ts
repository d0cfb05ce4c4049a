import { unreadyReason, type Inspected } from "../metrics/inspected.ts";
import { lagOf } from "../metrics/storage-reading.ts";
import type { SessionView } from "../session/view.ts";
import type { Storage } from "../storage/storage.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { tidHex } from "../wire/ids.ts";
import type { ClientStatus, Status, StorageStatus, UpstreamStatus } from "./shape.ts";

/** So many clients of an upstream are listed: a list of all would take too long to write, and to read. */
const MAX_LISTED = 1_000;

export function statusOf(inspected: Inspected): Status {
  const { counters, memory, room, shadows, storages, upstreams, version } = inspected;
  const uptimeSeconds = process.uptime();
  return {
    version: 1,
    proxy: {
      version,
      node: process.version,
      pid: process.pid,
      started: new Date(Date.now() - uptimeSeconds * 1000).toISOString(),
      uptimeSeconds: seconds(uptimeSeconds * 1000),
      state: inspected.state(),
      guard: counters.guard,
      memory: { keptBytes: memory.bytes, limitBytes: memory.limitBytes },
      clients: { count: room.taken, limit: room.limit },
    },
    upstreams: upstreams().map((upstream) => upstreamStatus(upstream, inspected)),
    storages: [...accepted(storages(), false), ...accepted(shadows(), true)],
  };
}

/** Of those that their servers have. */
function accepted(storages: Iterable<Storage>, observed: boolean): StorageStatus[] {
  return [...storages].filter(({ isAccepted }) => isAccepted).map((storage) => storageStatus(storage, observed));
}

function upstreamStatus(upstream: Upstream, { counters }: Inspected): UpstreamStatus {
  const { clients: count, listen, name, refused, sessions, state } = upstream;
  const { serverAddress, serverAddresses, standbys } = upstream;
  const list: ClientStatus[] = [];
  for (const session of sessions) {
    if (list.length === MAX_LISTED) break;
    list.push(clientStatus(session.view));
  }
  const reason = unreadyReason(upstream);
  return {
    name,
    listen,
    server: serverAddress,
    standbys,
    addresses: serverAddresses,
    state,
    repair: upstream.repair,
    ready: reason === undefined,
    reason,
    accepted: upstream.accepted,
    refused,
    unrepaired: Object.fromEntries(counters.relayed.get(name) ?? []),
    ended: Object.fromEntries(counters.endedBy.get(name) ?? []),
    observed: { clients: upstream.observed, ended: Object.fromEntries(counters.observedEndedBy.get(name) ?? []) },
    clients: { count, omitted: sessions.size - list.length, list },
  };
}

function clientStatus(view: SessionView): ClientStatus {
  const { client, server, life, protocol, storage, ageMs, received, sent, waitingBytes, held, calls, repairs } = view;
  const { isObserved: observed } = view;
  const facts = { address: client, server, state: life, observed, protocol, storage, ageSeconds: seconds(ageMs) };
  return { ...facts, received, sent, waitingBytes, heldMessages: held, calls, repairs };
}

function storageStatus(
  { counts, figures, isWatched, name, server, setbacks }: Storage,
  observed: boolean,
): StorageStatus {
  const lagMs = isWatched ? lagOf(figures) : undefined;
  return {
    server,
    storage: name,
    family: figures.family,
    observed,
    commits: figures.commits,
    foreign: figures.foreign,
    foreignRead: figures.read,
    finishing: figures.finishing,
    heldMessages: figures.held,
    witness: figures.witness,
    witnessLagSeconds: lagMs === undefined ? undefined : seconds(lagMs),
    patched: figures.patched,
    lastTid: tidHex(figures.highest),
    setbacks,
    questions: counts.questions,
    repaired: { client: counts.repaired.client, foreign: counts.repaired.foreign },
    oidsAdded: counts.oidsAdded,
    resumed: counts.resumed,
    resumesRefused: counts.resumesRefused,
    history: {
      transactions: figures.transactions,
      bytes: figures.historyBytes,
      reach: figures.reach === undefined ? undefined : tidHex(figures.reach),
    },
  };
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
