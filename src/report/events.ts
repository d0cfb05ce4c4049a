import type { EventEmitter } from "node:events";
import type { EndCode } from "../happening/ends.ts";
import type { Happening } from "../happening/happening.ts";
import { tidHex } from "../wire/ids.ts";
import { repairOf, type RepairEvent } from "./repair.ts";

/** A `getInvalidations` reply that was repaired. */
export interface ResumeEvent {
  readonly upstream: string;
  readonly storage: string;
  /** `address:port`; undefined where it has left meanwhile. */
  readonly client: string | undefined;
  /** The client's tid and the tid that it was brought to, 16 hex digits. */
  readonly from: string;
  readonly tid: string;
}

export interface UpstreamEvent {
  readonly upstream: string;
  /** `host:port` */
  readonly address: string;
}

/** A session that the proxy itself ended. */
export interface SessionEndEvent {
  readonly upstream: string;
  readonly client: string;
  readonly code: EndCode;
}

export interface ProxyEvents {
  repaired: [RepairEvent];
  resumed: [ResumeEvent];
  /** The upstream accepts clients at this address. */
  listening: [UpstreamEvent];
  /** The upstream's server is down; it no longer listens. */
  down: [UpstreamEvent];
  /** A session that the proxy ended, not its client or its server. */
  ended: [SessionEndEvent];
}

/**
 * Emits what the library's users can listen for. Of a repair at most `log.oids` oids are named, asked for with each. What can come with every commit
 * is made for a listener only.
 */
export function emitEvents(
  emitter: EventEmitter<ProxyEvents>,
  log: { readonly oids: number },
): (happening: Happening) => void {
  return (happening) => {
    switch (happening.what) {
      case "repaired":
        if (emitter.listenerCount("repaired") > 0) emitter.emit("repaired", repairOf(happening, log.oids));
        return;
      case "resumed": {
        const { upstream, storage, client, from, tid } = happening;
        if (tid === undefined) return;
        emitter.emit("resumed", { upstream, storage, client, from: tidHex(from), tid: tidHex(tid) });
        return;
      }
      case "listening":
        emitter.emit("listening", { upstream: happening.upstream, address: happening.address });
        return;
      case "down":
        emitter.emit("down", { upstream: happening.upstream, address: happening.server });
        return;
      case "ended": {
        const { upstream, client, end } = happening;
        emitter.emit("ended", { upstream, client, code: end.code });
        return;
      }
      default:
    }
  };
}
