import type { Clock } from "../clock.ts";
import type { Address } from "../config/address.ts";
import type { Report } from "../happening/happening.ts";
import type { SessionSettings } from "../session/host.ts";
import type { Memory } from "../session/memory.ts";
import type { Storages } from "../storage/storages.ts";
import type { AdmissionRules } from "./admission.ts";
import type { Room } from "./room.ts";
import type { Transport } from "./transport.ts";
import type { StoragesFinder } from "./tries.ts";

export interface UpstreamConfig {
  readonly name: string;
  readonly listen: Address;
  readonly server: Address;
  /** Storages whose witness is to begin before anybody registers. */
  readonly storages?: readonly string[];
  /** `observe`: bytes are relayed as they come, and it is told what would be repaired. `on` if left out. */
  readonly repair?: RepairMode;
}

/** Are its sessions repaired? */
export type RepairMode = "on" | "observe";

/** What an upstream needs of the proxy. */
export interface UpstreamHost {
  readonly settings: Omit<SessionSettings, "name">;
  readonly clock: Clock;
  readonly transport: Transport;
  /** Those of the server; or what finds out which these are, before it is dialled for the first time. */
  readonly storages: Storages | StoragesFinder;
  readonly memory: Memory;
  readonly room: Room;
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
