import type { Finding } from "./finding.ts";
import type { History } from "./history.ts";
import type { ActorEvent } from "./record.ts";

/** What a writer has done, in numbers. */
export interface Written {
  readonly attempts: number;
  readonly acknowledged: number;
  /** Their `tpc_finish` was sent, and no reply came. */
  readonly uncertain: number;
  /** Of these: so many are in the file. */
  readonly uncertainAndThere: number;
}

/** Every commit that was acknowledged is in the file, at its tid, with what was stored. */
export function judgeWriter(
  who: string,
  events: readonly ActorEvent[],
  history: History,
): { readonly findings: readonly Finding[]; readonly written: Written } {
  const findings: Finding[] = [];
  const kinds = new Map(events.flatMap((event) => (event[0] === "attempt" ? [[event[1], event[2]] as const] : [])));
  const finishing = new Set(events.flatMap((event) => (event[0] === "finishing" ? [event[1]] : [])));
  let acknowledged = 0;
  for (const event of events) {
    if (event[0] !== "committed") continue;
    const [, mark, tid, oids] = event;
    acknowledged++;
    finishing.delete(mark);
    // Old servers' files don't have it.
    if (kinds.get(mark) === "nothing") continue;
    const found = history.at(tid);
    const there = found?.records.map(([oid]) => oid) ?? [];
    const absent = oids?.filter((oid) => !there.includes(oid)) ?? [];
    if (found === undefined) findings.push(lost(who, `${mark}: ${tid} is not in the file`));
    else if (found.mark !== mark) findings.push(lost(who, `${mark}: ${tid} is ${found.mark} in the file`));
    else if (absent.length > 0) findings.push(lost(who, `${mark}: ${tid} lacks ${absent.join(" ")}`));
  }
  const uncertain = [...finishing];
  return {
    findings,
    written: {
      attempts: kinds.size,
      acknowledged,
      uncertain: uncertain.length,
      uncertainAndThere: uncertain.filter((mark) => history.marked(mark) !== undefined).length,
    },
  };
}

function lost(who: string, detail: string): Finding {
  return { kind: "acknowledged and lost", who, detail };
}

/** Tids of transactions of nothing that an old server has answered, and that are in no file. */
export function emptyTids(records: Iterable<readonly ActorEvent[]>): Set<string> {
  const tids = new Set<string>();
  for (const events of records) {
    const empty = new Set(
      events.flatMap((event) => (event[0] === "attempt" && event[2] === "nothing" ? [event[1]] : [])),
    );
    for (const event of events) if (event[0] === "committed" && empty.has(event[1])) tids.add(event[2]);
  }
  return tids;
}
