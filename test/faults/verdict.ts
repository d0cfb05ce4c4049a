import { emptyTids, judgeWriter, type Written } from "./acknowledged.ts";
import { CacheFileError, readCacheFile } from "./cache-file.ts";
import type { Finding, FindingKind } from "./finding.ts";
import { judgeClient, type Heard } from "./judge.ts";
import { judgeCache, judgeObjects } from "./judge-cache.ts";
import { seesAll, type Plan } from "./plan.ts";
import { readRecord, type ActorEvent } from "./record.ts";
import type { LogLine } from "./proxy-process.ts";
import type { Evidence } from "./round.ts";
import type { Away } from "./storm.ts";
import { held } from "./troupe.ts";

/** Counts by name, in the order in which they were first counted. */
export type Counts = Map<string, number>;

export interface Verdict {
  readonly faults: readonly Finding[];
  /** What nobody could have prevented here; counted. */
  readonly remarks: readonly Finding[];
  readonly counts: Counts;
}

/** Who is not behind a proxy. */
const UNTOLD: ReadonlySet<string> = new Set(["creator", "direct"]);

/** A stream that was cut off, and a server that was killed and named what it had lost (see `behind`): not the proxy's. */
const OTHERS: ReadonlySet<string> = new Set(["truncated-frame", "database-changed"]);

/** `witness.hold` */
const HOLD_MS = 2_000;

/** What becomes of a commit that nobody can read. */
const UNSEEN: ReadonlySet<FindingKind> = new Set(["shown early", "missing", "incomplete", "answered None"]);

/** What the proxy must not say of itself, whatever happens around it. */
const BUGS = /^(?:an unexpected error|internal error)/;
const BUG_CODE = /^(?:guard-|internal-error|commit-out-of-order)/;

export function verdictOn(evidence: Evidence, plan: Plan, strict: boolean): Verdict {
  const counts: Counts = new Map();
  const add = (name: string, count: number): void => {
    if (count !== 0) counts.set(name, (counts.get(name) ?? 0) + count);
  };
  const records = new Map<string, ActorEvent[]>();
  for (const text of evidence.records) for (const [name, events] of readRecord(text)) records.set(name, events);
  const found = [
    ...evidence.findings,
    ...judgeRecords(evidence, records, add),
    ...judgeCaches(evidence, records, add),
    ...readLogs(evidence, { strict, mayGoBack: plan.causes.has("server-kills") }, add),
  ];
  for (const [name, count] of evidence.done.counts) add(name, count);
  const isBlind = wasBlind(evidence);
  const remarks = found.filter((finding) => isRemark(finding, plan) || (isBlind && UNSEEN.has(finding.kind)));
  for (const { kind } of remarks) add(`${kind} (not counted as a fault)`, 1);
  return { faults: found.filter((finding) => !remarks.includes(finding)), remarks, counts };
}

/**
 * Did a proxy begin, or its first client register, when the server took no connections of newcomers? Then it says that it has no
 * witness, and relays what it can't read (docs/guarantees.md).
 */
function wasBlind({ logs, done }: Evidence): boolean {
  const isIt = ({ msg, reason, at }: LogLine): boolean =>
    msg.startsWith("there is no witness") && reason === "it has not come about" && isAway(done.away, Date.parse(at));
  return logs.some(({ lines }) => lines.some(isIt));
}

function isRemark({ kind }: Finding, plan: Plan): boolean {
  if (kind === "shown early") return !seesAll(plan);
  // A FileStorage tells of a transaction before it is in the file: who is killed between has told of nothing.
  return kind === "nobody's" && plan.causes.has("server-kills");
}

function judgeRecords(
  { history, there }: Evidence,
  records: ReadonlyMap<string, readonly ActorEvent[]>,
  add: (name: string, count: number) => void,
): Finding[] {
  const empty = emptyTids(records.values());
  add("transactions", history.transactions.length);
  return [...records].flatMap(([who, events]) => {
    const { findings, written } = judgeWriter(who, events, history);
    addAll(WRITTEN, written, add);
    add("troubles of clients", events.filter(([what]) => what === "trouble" || what === "not connected").length);
    if (UNTOLD.has(who)) return findings;
    const judged = judgeClient(who, events, history, { isThere: there.has(who), empty });
    addAll(HEARD, judged.heard, add);
    return [...findings, ...judged.findings];
  });
}

const WRITTEN: Readonly<Record<keyof Written, string>> = {
  attempts: "begun",
  acknowledged: "acknowledged",
  uncertain: "uncertain",
  uncertainAndThere: "of these committed",
};

const HEARD: Readonly<Record<keyof Heard, string>> = {
  due: "due",
  told: "told",
  connections: "connections",
  resumed: "resumed",
  none: "None",
  late: "oids told later",
  extras: "oids too many",
  polls: "polls",
};

function addAll<K extends string>(
  names: Readonly<Record<K, string>>,
  values: Readonly<Record<K, number>>,
  add: (name: string, count: number) => void,
): void {
  for (const key of Object.keys(names) as K[]) add(names[key], values[key]);
}

function judgeCaches(
  { history, files, memories }: Evidence,
  records: ReadonlyMap<string, readonly ActorEvent[]>,
  add: (name: string, count: number) => void,
): Finding[] {
  const findings: Finding[] = [];
  for (const [name, bytes] of files) {
    try {
      const judged = judgeCache(name, readCacheFile(bytes), history, resumedIn(records.get(name.split(".")[0] ?? "")));
      findings.push(...judged.findings);
      add("files", 1);
      add("objects in files", judged.kept.objects);
      add("ahead in files", judged.kept.ahead);
    } catch (error) {
      if (!(error instanceof CacheFileError)) throw error;
      // Whoever is killed may leave it so; its next life throws it away.
      add("files that nobody can use", 1);
      if (!name.includes(".killed.")) findings.push({ kind: "stale", who: name, detail: error.message });
    }
  }
  for (const [name, memory] of memories) {
    const judged = judgeCache(`${name} in memory`, { tid: memory.tid, current: held(memory), past: [] }, history);
    findings.push(...judged.findings, ...judgeObjects(name, memory.objects, history));
    add("objects in memory", judged.kept.objects + memory.objects.length);
  }
  return findings;
}

/** Could nobody read what somebody has waited for until then? Whoever waited lost its own connection to that server, too. */
function isAway(away: readonly Away[], at: number): boolean {
  return away.some(({ from, to }) => from <= at && at <= to + HOLD_MS);
}

function resumedIn(events: readonly ActorEvent[] = []): Set<string> {
  return new Set(events.flatMap((event) => (event[0] === "resumed" ? [event[2]] : [])));
}

/** What the proxies say of themselves. */
function readLogs(
  { logs, done }: Evidence,
  { strict, mayGoBack }: { readonly strict: boolean; readonly mayGoBack: boolean },
  add: (name: string, count: number) => void,
): Finding[] {
  const findings: Finding[] = [];
  const find = (kind: FindingKind, who: string, detail: string): void => void findings.push({ kind, who, detail });
  for (const { plan, lines } of logs) {
    /** From there or below nobody goes on, since the server has gone back. */
    let behind = "";
    for (const line of lines) {
      const { msg, code, level } = line;
      if (msg.startsWith("the server's last transaction is older")) {
        if (!mayGoBack) find("stuck", plan.name, JSON.stringify(line));
        behind = [behind, String(line["known"]), String(line["tid"])].reduce((high, tid) => (tid > high ? tid : high));
      }
      if (msg.startsWith("session ended")) {
        add(`ended: ${code}`, 1);
        if (BUG_CODE.test(code ?? "")) find("stuck", plan.name, JSON.stringify(line));
        else if (code === "unread-commit" && isAway(done.away, Date.parse(line.at)))
          add("ended while the server was away", 1);
        else if (strict && !OTHERS.has(code ?? "") && line["fault"] !== "client")
          find("disconnected", plan.name, JSON.stringify(line));
      } else if (msg.startsWith("getInvalidations answered None")) {
        add(msg.replace("getInvalidations answered None: ", "None: "), 1);
        if (strict && String(line["from"]) > behind) find("answered None", plan.name, JSON.stringify(line));
      } else if (msg === "invalidation repaired" || msg === "getInvalidations repaired") {
        const source = typeof line["source"] === "string" ? ` by ${line["source"]}` : "";
        add(`repaired: ${String(line["repair"])}${source}`, 1);
      } else if (BUGS.test(msg) || level === "fatal") find("stuck", plan.name, JSON.stringify(line));
      else if (level === "warn" && !msg.startsWith("the limit of open files")) add(msg.split(":")[0] ?? msg, 1);
    }
  }
  return findings;
}
