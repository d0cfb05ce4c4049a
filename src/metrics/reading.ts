import type { RawReason } from "../happening/happening.ts";
import type { EndCode } from "../happening/ends.ts";
import type { Life } from "../session/lives.ts";
import type { Histogram } from "../storage/histogram.ts";
import type { Traffic } from "../upstream/sessions.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Inspected } from "./inspected.ts";
import { byClientClass, byServerClass } from "./message-classes.ts";
import { processFigures, type ProcessFigures } from "./process-figures.ts";
import { readStorages, type StorageReading } from "./storage-reading.ts";

/** All numbers of one scrape, read at one time. */
export interface Reading {
  readonly version: string;
  readonly upstreams: readonly UpstreamReading[];
  readonly storages: readonly StorageReading[];
  /** The same of clients that are observed: nothing of it was done. */
  readonly shadows: readonly StorageReading[];
  readonly guard: number;
  readonly keptBytes: number;
  readonly keptBytesLimit: number;
  readonly loopDelayMs: Histogram;
  readonly process: ProcessFigures;
}

export interface UpstreamReading {
  readonly name: string;
  readonly state: Upstream["state"];
  readonly accepted: number;
  /** To another one of its servers. */
  readonly moves: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Sessions by life; and clients that wait for a server, as `waiting`. */
  readonly sessions: Readonly<Record<Life["is"] | "waiting", number>>;
  readonly traffic: Traffic;
  readonly fromClients: ReturnType<typeof byClientClass>;
  readonly fromServer: ReturnType<typeof byServerClass>;
  readonly ended: ReadonlyMap<EndCode, number>;
  readonly isRepaired: boolean;
  /** Clients that are observed now; and the sessions of such that would have been ended. */
  readonly observed: number;
  readonly observedEnded: ReadonlyMap<EndCode, number>;
  readonly relayed: ReadonlyMap<RawReason, number>;
}

/** It asks each session and each storage once. */
export function readAll(inspected: Inspected, loopDelayMs: Histogram): Reading {
  const { counters, memory, upstreams, version } = inspected;
  return {
    version,
    upstreams: upstreams().map((upstream) => readUpstream(upstream, inspected)),
    storages: readStorages(inspected.storages()),
    shadows: readStorages(inspected.shadows()),
    guard: counters.guard,
    keptBytes: memory.bytes,
    keptBytesLimit: memory.limitBytes,
    loopDelayMs,
    process: processFigures(),
  };
}

function readUpstream(upstream: Upstream, { counters }: Inspected): UpstreamReading {
  const { accepted, arriving, messages, moves, name, observed, refused, repair, state, traffic } = upstream;
  const sessions = {
    waiting: arriving,
    shaking: 0,
    open: 0,
    registered: 0,
    draining: 0,
    orphan: 0,
    relayed: 0,
    over: 0,
  };
  for (const { life } of upstream.sessions) sessions[life]++;
  return {
    name,
    state,
    accepted,
    moves,
    refused,
    sessions,
    traffic,
    fromClients: byClientClass(messages),
    fromServer: byServerClass(messages),
    ended: counters.endedBy.get(name) ?? new Map(),
    isRepaired: repair === "on",
    observed,
    observedEnded: counters.observedEndedBy.get(name) ?? new Map(),
    relayed: counters.relayed.get(name) ?? new Map(),
  };
}
