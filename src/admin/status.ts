import type { Inspected, ProxyState } from "../metrics/inspected.ts";
import { unreadyReason } from "../metrics/inspected.ts";
import { lagOf } from "../metrics/storage-reading.ts";
import type { SessionView } from "../session/view.ts";
import type { Storage } from "../storage/storage.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { tidHex } from "../wire/ids.ts";

/** So many clients of an upstream are listed: a list of all would take too long to write, and to read. */
const MAX_LISTED = 1_000;

/** What `/status.json` says. New fields can come under this version; none changes its meaning or goes. */
export interface Status {
  readonly version: 1;
  readonly proxy: {
    readonly version: string;
    readonly node: string;
    readonly pid: number;
    /** ISO time. */
    readonly started: string;
    readonly uptimeSeconds: number;
    readonly state: ProxyState;
    /** As in `ProxyStats`: must be 0. */
    readonly guard: number;
    readonly memory: { readonly keptBytes: number; readonly limitBytes: number };
    /** Client connections of all upstreams, and how many there may be: `limits.clients`. */
    readonly clients: { readonly count: number; readonly limit: number };
  };
  readonly upstreams: readonly UpstreamStatus[];
  readonly storages: readonly StorageStatus[];
}

export interface UpstreamStatus {
  readonly name: string;
  /** `host:port` once it was bound. */
  readonly listen: string | undefined;
  /** Where the server is taken to be, and where it can be otherwise. */
  readonly server: string;
  readonly standbys: readonly string[];
  /** Those of the server that sessions are registered at. */
  readonly addresses: readonly string[];
  readonly state: Upstream["state"];
  readonly ready: boolean;
  /** Why it is not, for people. */
  readonly reason: string | undefined;
  /** Client connections since the start. */
  readonly accepted: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly unrepaired: Readonly<Record<string, number>>;
  readonly ended: Readonly<Record<string, number>>;
  /** Those that have a session, and those that wait for a server; `list`: the first of the former. */
  readonly clients: { readonly count: number; readonly omitted: number; readonly list: readonly ClientStatus[] };
}

export interface ClientStatus {
  /** `address:port` of the client, and of the server that it is connected to. */
  readonly address: string;
  readonly server: string;
  readonly state: SessionView["life"];
  readonly protocol: string | undefined;
  readonly storage: string | undefined;
  readonly ageSeconds: number;
  /** Bytes that were read from each, and that each has taken. */
  readonly received: SessionView["received"];
  readonly sent: SessionView["sent"];
  /** Bytes that were written to it and that it has not taken. */
  readonly waitingBytes: number;
  readonly heldMessages: number;
  /** Its calls that wait for their replies. */
  readonly calls: number;
  /** Invalidations that were repaired for it. */
  readonly repairs: number;
}

export interface StorageStatus {
  readonly server: string;
  readonly storage: string;
  readonly family: "old" | "new";
  readonly commits: number;
  readonly foreign: number;
  readonly foreignRead: number;
  readonly finishing: number;
  readonly heldMessages: number;
  readonly witness: "off" | "away" | "up";
  readonly witnessLagSeconds: number | undefined;
  readonly patched: "yes" | "no" | "unknown";
  /** 16 hex digits. */
  readonly lastTid: string;
  readonly setbacks: number;
  readonly questions: number;
  /** Transactions that were repaired for at least one client. */
  readonly repaired: { readonly client: number; readonly foreign: number };
  readonly oidsAdded: number;
  readonly resumed: number;
  readonly resumesRefused: number;
  readonly history: { readonly transactions: number; readonly bytes: number; readonly reach: string | undefined };
}

export function statusOf(inspected: Inspected): Status {
  const { counters, memory, room, storages, upstreams, version } = inspected;
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
    storages: [...storages()].filter(({ isAccepted }) => isAccepted).map(storageStatus),
  };
}

function upstreamStatus(upstream: Upstream, { counters }: Inspected): UpstreamStatus {
  const { accepted, clients: count, listen, name, refused, sessions, state } = upstream;
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
    ready: reason === undefined,
    reason,
    accepted,
    refused,
    unrepaired: Object.fromEntries(counters.relayed.get(name) ?? []),
    ended: Object.fromEntries(counters.endedBy.get(name) ?? []),
    clients: { count, omitted: sessions.size - list.length, list },
  };
}

function clientStatus(view: SessionView): ClientStatus {
  const { client, server, life, protocol, storage, ageMs, received, sent, waitingBytes, held, calls, repairs } = view;
  const facts = { address: client, server, state: life, protocol, storage, ageSeconds: seconds(ageMs) };
  return { ...facts, received, sent, waitingBytes, heldMessages: held, calls, repairs };
}

function storageStatus({ counts, figures, isWatched, name, server, setbacks }: Storage): StorageStatus {
  const lagMs = isWatched ? lagOf(figures) : undefined;
  return {
    server,
    storage: name,
    family: figures.family,
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
