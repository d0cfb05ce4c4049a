import type { Held, Past } from "./cache-file.ts";
import type { Finding } from "./finding.ts";
import type { History } from "./history.ts";

/** What a client holds, at the tid at which it stands. */
export interface Contents {
  readonly tid: string;
  readonly current: readonly Held[];
  readonly past: readonly Past[];
}

export interface Kept {
  /** Objects that were compared. */
  readonly objects: number;
  /** Of transactions behind the tid: whoever opens the file hears of them when it verifies. */
  readonly ahead: number;
}

/**
 * Every object that a cache holds as current is what the file has at the cache's tid. `resumedAt`: tids with which
 * `getInvalidations` was answered. ZEO 4 takes them for those of all that it has missed, so past revisions seem to end there.
 */
export function judgeCache(
  who: string,
  { tid, current, past }: Contents,
  history: History,
  resumedAt: ReadonlySet<string> = new Set(),
): { readonly findings: readonly Finding[]; readonly kept: Kept } {
  const findings: Finding[] = [];
  let ahead = 0;
  for (const { oid, serial, checksum } of current) {
    const revisions = history.revisions(oid);
    const own = revisions.find((revision) => revision.tid === serial);
    const wanted = history.revisionAt(oid, tid);
    const twice = past.some((one) => one.oid === oid && one.serial === serial) ? ", and as a past one, too" : "";
    const stale = (why: string): void => {
      findings.push({ kind: "stale", who, detail: `${oid} of ${serial} at ${tid}: ${why}${twice}` });
    };
    if (own === undefined) stale("nobody has committed that");
    else if (own.checksum === null) stale("it is deleted there");
    else if (own.checksum !== checksum) stale("its data are others");
    else if (serial > tid) ahead++;
    else if (wanted !== undefined && wanted.tid !== serial) {
      stale(`the file has that of ${wanted.tid} (${history.at(wanted.tid)?.mark})`);
    }
  }
  for (const { oid, serial, end } of past) {
    const next = history.revisionAfter(oid, serial);
    if (next !== undefined && next.tid < end && !resumedAt.has(end)) {
      const detail = `${oid} of ${serial} is kept up to ${end}, and was replaced at ${next.tid}`;
      findings.push({ kind: "misplaced", who, detail });
    }
  }
  return { findings, kept: { objects: current.length, ahead } };
}

/** What an application's connection has in memory: nothing that is not current. */
export function judgeObjects(
  who: string,
  objects: readonly (readonly [oid: string, serial: string])[],
  history: History,
): Finding[] {
  return objects.flatMap(([oid, serial]) => {
    const wanted = history.revisionAt(oid, history.last);
    if (wanted === undefined || wanted.tid === serial) return [];
    return [{ kind: "stale", who, detail: `${oid} of ${serial} in memory: the file has that of ${wanted.tid}` }];
  });
}
