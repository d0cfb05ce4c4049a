import type { Counters } from "../report/counters.ts";
import type { Memory } from "../session/memory.ts";
import type { Storage } from "../storage/storage.ts";
import type { Room } from "../upstream/room.ts";
import type { Upstream } from "../upstream/upstream.ts";

/** What is looked at for metrics and status: the proxy's own objects, which are asked when somebody asks. */
export interface Inspected {
  /** Of this package. */
  readonly version: string;
  /** Those that are open, or being closed. */
  readonly upstreams: () => readonly Upstream[];
  /** Of all servers; and those of clients that are observed. */
  readonly storages: () => Iterable<Storage>;
  readonly shadows: () => Iterable<Storage>;
  readonly counters: Counters;
  readonly memory: Memory;
  readonly room: Room;
  readonly state: () => ProxyState;
}

export type ProxyState = "starting" | "running" | "stopping";

/** Why an upstream accepts nobody, for people; undefined: it does. */
export function unreadyReason({ state, serverAddress }: Upstream): string | undefined {
  switch (state) {
    case "listening":
      return undefined;
    case "starting":
      return "it is starting";
    case "down":
      return `the server ${serverAddress} is down`;
    case "full":
      return "limits.clients is reached";
    case "trouble":
      return "this machine can't make connections";
    case "blocked":
      return "the listening address can't be had";
    case "stopped":
      return "it is stopping";
  }
}
