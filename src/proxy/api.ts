import type { EventEmitter } from "node:events";
import type { Status } from "../admin/shape.ts";
import type { Config, ConfigInput } from "../config/schema.ts";
import type { ProxyEvents } from "../report/events.ts";

export interface UpstreamStats {
  readonly name: string;
  /** Bound address, also while not listening; undefined before the first start. */
  readonly listen: string | undefined;
  readonly server: string;
  /** Those of the server that sessions are registered at now; several servers behind one name are not supported. */
  readonly addresses: readonly string[];
  readonly state: "starting" | "listening" | "down" | "full" | "trouble" | "blocked" | "stopped";
  /** Are its sessions repaired, or observed? And how many are observed now: each turns when nothing of it is on its way. */
  readonly repair: "on" | "observe";
  readonly observed: number;
  /** Sessions open now, and since the start. */
  readonly clients: number;
  readonly accepted: number;
  /** Sessions relayed byte for byte, by reason (`tls`, `unknown-protocol`, `mac`, `lost`: no longer observed, not repaired). */
  readonly unrepaired: Readonly<Record<string, number>>;
  /**
   * Clients that were closed as soon as they had connected, by reason (`denied`, `upstream-full`, `address-full`,
   * `no-proxy-header`, `bad-proxy-header`), and those whose TLS handshake has come to nothing (`tls-failed`, `tls-timeout`,
   * `too-many-handshakes`). They are not in `accepted`.
   */
  readonly refused: Readonly<Record<string, number>>;
}

export interface StorageStats {
  readonly server: string;
  readonly storage: string;
  /** Of the protocols that its clients speak: `old` up to ZEO 4. A server with clients of both is followed twice. */
  readonly family: "old" | "new";
  /** What is known by observed sessions. */
  readonly observed: boolean;
  /** Commits that settled here; tids seen that nobody here committed. */
  readonly commits: number;
  readonly foreign: number;
  /** Those of them that were read from the storage, and so are told completely. */
  readonly read: number;
  /** `up`: what does not pass through here is read; `away`: it will be again; `off`: it is not. */
  readonly witness: "off" | "away" | "up";
  /** How often the server's last transaction was older than a known one: a backup, or a server that is behind another. */
  readonly setbacks: number;
  /** `yes`: the server's own messages named created oids; `no`: they left them out; `unknown` before the first. */
  readonly patched: "yes" | "no" | "unknown";
  readonly known: string;
}

export interface ProxyStats {
  readonly upstreams: readonly UpstreamStats[];
  readonly storages: readonly StorageStats[];
  /** Announcements written to clients. */
  readonly completed: number;
  readonly synthesized: number;
  /** Those of commits that the server told of too late, written under a later tid. */
  readonly late: number;
  readonly resumed: number;
  /** `getInvalidations` answered None by the proxy. */
  readonly tooOld: number;
  /** Sessions ended by the proxy, by code. */
  readonly ended: Readonly<Record<string, number>>;
  /** What would have been written to observed clients, and how many of their sessions would have been ended. */
  readonly observed: {
    readonly completed: number;
    readonly synthesized: number;
    readonly late: number;
    readonly resumed: number;
    readonly tooOld: number;
    readonly ended: number;
  };
  /** How often the last guard before a client's socket refused an invalidation. Must be 0. */
  readonly guard: number;
  /** The proxy's own questions. */
  readonly questions: number;
}

/** What a reload has done. Upstreams by their names, options by their paths in YAML. */
export interface ReloadResult {
  readonly opened: readonly string[];
  /** Closed and opened anew, as something of them was changed that does not act otherwise. */
  readonly reopened: readonly string[];
  readonly closed: readonly string[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  /** Options that act from now on, those of upstreams that go on too (`upstreams[0].allow`). What is in a file is not compared. */
  readonly changed: readonly string[];
  /** Options that were changed, and act only in a new process. */
  readonly needRestart: readonly string[];
}

/** A running proxy. All its upstreams start and stop together. */
export interface Proxy extends EventEmitter<ProxyEvents> {
  /**
   * Binds every listening address. Resolves when each upstream listens, or waits: for its server, for a name that can't be
   * resolved yet, for an address that is not there yet. Rejects with `ListenError` where an address is in use or not
   * permitted, nothing then left open.
   */
  start(): Promise<void>;
  /**
   * Goes on with another configuration; `log.level` and `log.format` are the logger's affair. Connections of upstreams that it
   * has as before are untouched. One that it does not have any more is stopped as `stop` does it; one that is changed in
   * what it listens on, or leads to, is too, and then opened anew. New addresses are bound first. Resolves when each of the new
   * upstreams listens or waits, and those that were closed are gone. One at a time, behind the start: others wait.
   *
   * Rejects, nothing then changed, with `ConfigError` for a wrong configuration, and with `ListenError` where a new address is in
   * use or not permitted. Rejects, too, where the proxy is not started, or is stopped before this is done.
   */
  reload(config: Config | ConfigInput): Promise<ReloadResult>;
  /** Stops accepting, lets finishing commits settle and outboxes empty, at most `limits.drain`, then closes. */
  stop(): Promise<void>;
  /**
   * From now on that upstream's clients are repaired, or observed; nobody is disconnected. A client that is connected turns at the
   * first moment at which no call of its waits for a reply and no transaction of its is open. Nothing where the upstream has no such
   * name.
   */
  setRepair(upstream: string, repair: "on" | "observe"): void;
  stats(): ProxyStats;
  /** How everything is now, as `/status.json` says it: of each upstream at most a thousand clients. Not for every second. */
  status(): Status;
}
