import type { EndCode } from "../happening/ends.ts";
import type { Happening, Observed, RawReason, RefusalReason } from "../happening/happening.ts";

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
  /** What would have been written to clients that are observed. */
  readonly observed = { completed: 0, synthesized: 0, late: 0, resumed: 0, tooOld: 0, ended: 0 };
  /** Those that were ended, by upstream; and those that would have been, of clients that are observed. */
  readonly endedBy = new Map<string, Map<EndCode, number>>();
  readonly observedEndedBy = new Map<string, Map<EndCode, number>>();
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
        countIn(within(this.endedBy, happening.upstream), code);
        if (code.startsWith("guard-")) this.guard++;
        return;
      }
      case "relayed": {
        if (happening.reason === "ruok") return;
        countIn(within(this.relayed, happening.upstream), happening.reason);
        return;
      }
      case "refused":
        countIn(within(this.refused, happening.upstream), happening.reason);
        return;
      case "observed":
        this.#countObserved(happening.happening);
        return;
      default:
    }
  }

  #countObserved(observed: Observed): void {
    switch (observed.what) {
      case "announced":
        this.observed[observed.repair]++;
        return;
      case "resumed":
        if (observed.tid === undefined) this.observed.tooOld++;
        else this.observed.resumed++;
        return;
      case "ended":
        this.observed.ended++;
        countIn(within(this.observedEndedBy, observed.upstream), observed.end.code);
        return;
      default:
    }
  }
}

function within<Key>(upstreams: Map<string, Map<Key, number>>, upstream: string): Map<Key, number> {
  const counts = upstreams.get(upstream) ?? new Map<Key, number>();
  upstreams.set(upstream, counts);
  return counts;
}

function countIn<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
