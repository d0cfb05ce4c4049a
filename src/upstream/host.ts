import type { Clock } from "../clock.ts";
import type { Address } from "../config/address.ts";
import type { Report } from "../happening/happening.ts";
import type { SessionSettings } from "../session/host.ts";
import type { Memory } from "../session/memory.ts";
import type { Storages } from "../storage/storages.ts";
import type { AdmissionRules } from "./admission.ts";
import type { Nobodies } from "./nobodies.ts";
import type { Room } from "./room.ts";
import type { Transport } from "./transport.ts";
import type { StoragesFinder } from "./tries.ts";

export interface UpstreamConfig {
  readonly name: string;
  readonly listen: Address;
  readonly server: Address;
  /** Other places where the server can be, in the order in which they are tried. */
  readonly standbys?: readonly Address[];
  /** Storages whose witness is to begin before anybody registers. */
  readonly storages?: readonly string[];
  /** `observe`: bytes are relayed as they come, and it is told what would be repaired. `on` if left out. */
  readonly repair?: RepairMode;
}

/** Are its sessions repaired? */
export type RepairMode = "on" | "observe";

/** What an upstream needs of the proxy. */
export interface UpstreamHost {
  readonly settings: Omit<SessionSettings, "name"> & {
    /** `failoverMs`: so long the server must be away from its present place. Needed where it has others. */
    readonly limits: { readonly failoverMs?: number };
  };
  readonly clock: Clock;
  readonly transport: Transport;
  /** Those of the server; or what finds out which these are, before it is dialled for the first time. */
  readonly storages: Storages | StoragesFinder;
  readonly memory: Memory;
  readonly room: Room;
  /** Who may have to go where there is no room. */
  readonly nobodies?: Nobodies;
  /** Bytes that have come from the server, to all upstreams; this one's where it is left out. */
  readonly heardOfServer?: () => number;
  /** Its server is at another place: what was known of it at the one before is this upstream's no more. */
  readonly left?: (storages: Storages) => void;
  /** Is anybody connected to the server by another upstream? */
  readonly isAliveElsewhere?: () => boolean;
  readonly report: Report;
  /** Who may come; without, everybody. */
  readonly admission?: AdmissionRules;
}

/** Why an address can't be listened on: the system's code and error. */
export interface ListenFailure {
  readonly code: string;
  readonly cause: unknown;
}
