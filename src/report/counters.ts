import type { EndCode } from "../happening/ends.ts";
import type { Happening, RawReason, RefusalReason } from "../happening/happening.ts";

/** What is counted, process-wide: plain numbers, counted when it happens. */
export class Counters {
  completed = 0;
  synthesized = 0;
  late = 0;
  resumed = 0;
  /** `getInvalidations` answered None by the proxy. */
  tooOld = 0;
  /** How often the guard before a client's socket refused an invalidation. Must be 0. */
  guard = 0;
  /** The proxy's own. */
  questions = 0;
  /** Sessions that the proxy ended. */
  readonly ended = new Map<EndCode, number>();
  /** Sessions that are relayed byte for byte, by upstream. A monitor's are not counted. */
  readonly relayed = new Map<string, Map<RawReason, number>>();

  /** Clients that were closed as soon as they had connected, by upstream. */
  readonly refused = new Map<string, Map<RefusalReason, number>>();

  count(happening: Happening): void {
    switch (happening.what) {
      case "announced":
        this[happening.repair]++;
        return;
      case "asked":
        this.questions++;
        return;
      case "resumed":
        if (happening.tid === undefined) this.tooOld++;
        else this.resumed++;
        return;
      case "ended": {
        const { code } = happening.end;
        countIn(this.ended, code);
        if (code.startsWith("guard-")) this.guard++;
        return;
      }
      case "relayed": {
        if (happening.reason === "ruok") return;
        countOf(this.relayed, happening);
        return;
      }
      case "refused":
        countOf(this.refused, happening);
        return;
      default:
    }
  }
}

function countOf<Reason>(
  counts: Map<string, Map<Reason, number>>,
  { upstream, reason }: { readonly upstream: string; readonly reason: Reason },
): void {
  const reasons = counts.get(upstream) ?? new Map<Reason, number>();
  counts.set(upstream, reasons);
  countIn(reasons, reason);
}

function countIn<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
