import type { ProxyState } from "../metrics/inspected.ts";
import type { SessionView } from "../session/view.ts";
import type { Upstream } from "../upstream/upstream.ts";

// The shape of `/status.json`: what the admin server writes, and `zeo-proxy status` reads. There is nothing else in this file.

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
  /** `observe`: its clients are told what the server tells. */
  readonly repair: Upstream["repair"];
  readonly ready: boolean;
  /** Why it is not, for people. */
  readonly reason: string | undefined;
  /** Client connections since the start. */
  readonly accepted: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly unrepaired: Readonly<Record<string, number>>;
  readonly ended: Readonly<Record<string, number>>;
  /** Clients that are observed now, and how many of their sessions would have been ended since the start, by code. */
  readonly observed: { readonly clients: number; readonly ended: Readonly<Record<string, number>> };
  /** Those that have a session, and those that wait for a server; `list`: the first of the former. */
  readonly clients: { readonly count: number; readonly omitted: number; readonly list: readonly ClientStatus[] };
}

export interface ClientStatus {
  /** `address:port` of the client, and of the server that it is connected to. */
  readonly address: string;
  readonly server: string;
  readonly state: SessionView["life"];
  /** Its bytes are relayed as they come, and it is told what would be repaired. */
  readonly observed: boolean;
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
  /** What clients that are observed show: of what is repaired in it, it would have been. */
  readonly observed: boolean;
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
