import type { Finding, FindingKind } from "./finding.ts";
import type { History, TrueTransaction } from "./history.ts";
import type { ActorEvent } from "./record.ts";

/** What a client's record says, in numbers. */
export interface Heard {
  /** Transactions that it had to hear of, and those of them that it was told of completely. */
  due: number;
  told: number;
  connections: number;
  /** `getInvalidations` that were answered, and those that were answered None. */
  resumed: number;
  none: number;
  /** Oids that were told under a later tid than theirs, and those of transactions that did not change them. */
  late: number;
  extras: number;
  polls: number;
}

export interface JudgeOptions {
  /** It is still connected: all up to the end is due. */
  readonly isThere: boolean;
  /** Tids that are in no file and no fault: transactions of nothing. */
  readonly empty: ReadonlySet<string>;
}

/** One connection that verified a cache, and what came over it. */
interface Spell {
  readonly life: number;
  readonly connection: number;
  /** The cache's tid before; undefined for an empty one, which has nothing to verify. */
  readonly from: string | undefined;
  resumed: { readonly tid: string; readonly oids: ReadonlySet<string> } | undefined;
  dropped: boolean;
  /** Of which it is known, at its end, that the cache has seen it; undefined where nobody says. */
  upTo: string | undefined;
  readonly news: News;
}

/** All that one connection brought, also before the cache was verified. */
class News {
  shown: string | undefined;
  highest = "";
  readonly announced = new Map<string, Set<string>>();
  /** Oids that a message named though its transaction did not change them, with its tid. */
  readonly besides: { readonly tid: string; readonly oid: string }[] = [];
}

/**
 * Compares what one client was told, over all its lives, with the server's file. What it knows is a chain: each connection
 * has to tell it of all that lies between the tid at which it was verified and the tid at which the next one finds its cache.
 */
export function judgeClient(
  who: string,
  events: readonly ActorEvent[],
  history: History,
  options: JudgeOptions,
): { readonly findings: readonly Finding[]; readonly heard: Heard } {
  return new Judge(who, history, options).judge(events);
}

class Judge {
  readonly #who: string;
  readonly #history: History;
  readonly #options: JudgeOptions;
  readonly #findings: Finding[] = [];
  readonly #news = new Map<number, News>();
  readonly #spells: Spell[] = [];
  /** Its own commits. Old servers answer an empty one with the tid of another. */
  #own: ReadonlySet<string> = new Set();
  /** The last, while that life lasts: numbers of connections begin anew with each process. */
  #spell: Spell | undefined;
  #life = 0;
  /** How many transactions the present spell has been looked at for. */
  #looked = 0;
  readonly #heard: Heard = {
    due: 0,
    told: 0,
    connections: 0,
    resumed: 0,
    none: 0,
    late: 0,
    extras: 0,
    polls: 0,
  };

  constructor(who: string, history: History, options: JudgeOptions) {
    this.#who = who;
    this.#history = history;
    this.#options = options;
  }

  judge(events: readonly ActorEvent[]): { findings: readonly Finding[]; heard: Heard } {
    this.#own = ownCommits(events, this.#history);
    for (const event of events) this.#read(event);
    const last = this.#spells.at(-1);
    if (last !== undefined && this.#options.isThere) last.upTo = this.#history.last;
    if (this.#options.isThere && last === undefined) this.#find("stuck", "it was never connected");
    for (const spell of this.#spells) this.#look(spell);
    this.#heard.connections = this.#spells.length;
    return { findings: this.#findings, heard: this.#heard };
  }

  #read(event: ActorEvent): void {
    const spell = this.#spell;
    switch (event[0]) {
      case "open":
        this.#life++;
        this.#spell = undefined;
        this.#news.clear();
        return;
      case "verify": {
        const [, connection, tid, objects] = event;
        const from = objects === 0 ? undefined : tid;
        const before = this.#spells.at(-1);
        if (before !== undefined) before.upTo = from;
        const news = this.#newsOn(connection);
        this.#spell = { life: this.#life, connection, from, resumed: undefined, dropped: false, upTo: undefined, news };
        this.#spells.push(this.#spell);
        this.#looked = 0;
        return;
      }
      case "resumed": {
        // A reply to an undo looks the same; but nobody undoes before the verification is over.
        if (spell?.connection !== event[1] || !verifies(spell)) return;
        spell.resumed = { tid: event[2], oids: new Set(event[3]) };
        raise(spell.news, event[2]);
        this.#heard.resumed++;
        return;
      }
      case "stale cache":
        if (spell !== undefined) spell.dropped = true;
        this.#heard.none++;
        return;
      case "invalidation":
        this.#announced(this.#newsOn(event[1]), event[2], event[3]);
        return;
      case "shown": {
        const [, connection, tid] = event;
        const news = this.#newsOn(connection);
        news.shown ??= tid;
        if (spell?.connection === connection) this.#shown(spell, tid);
        return;
      }
      case "own":
        if (spell !== undefined && this.#own.has(event[1])) raise(spell.news, event[1]);
        return;
      case "behind":
        this.#find("shown early", `it was shown ${event[1]}, and its cache stood at ${event[2]}`);
        return;
      case "stale":
        this.#find("shown early", `${event[1]}: the server's is of ${event[2]}, and its cache's of ${event[3]}`);
        return;
      case "polled":
        this.#heard.polls++;
        return;
      case "failed":
        this.#find("stuck", event[1]);
        return;
      case "told":
      case "cache dropped":
      case "read":
      case "attempt":
      case "finishing":
      case "committed":
      case "not connected":
      case "trouble":
      case "closed":
    }
  }

  #newsOn(connection: number): News {
    let news = this.#news.get(connection);
    if (news === undefined) {
      news = new News();
      this.#news.set(connection, news);
    }
    return news;
  }

  #announced(news: News, tid: string, oids: readonly string[]): void {
    const before = news.announced.get(tid);
    const isNew = oids.some((oid) => before?.has(oid) !== true);
    const namesIts = oids.length === 0 || oids.some((oid) => this.#history.changes(tid, oid));
    if (this.#own.has(tid) && namesIts) this.#find("told its own", tid);
    // What comes too late is told under the tid at which the cache stands.
    if (tid < news.highest) this.#find("out of order", `${tid} behind ${news.highest}`);
    else if (before !== undefined && !isNew) this.#find("told twice", tid);
    if (this.#history.at(tid) === undefined && !this.#options.empty.has(tid)) this.#find("nobody's", tid);
    raise(news, tid);
    const all = before ?? new Set<string>();
    news.announced.set(tid, all);
    for (const oid of oids) {
      all.add(oid);
      if (!this.#history.changes(tid, oid)) news.besides.push({ tid, oid });
    }
  }

  /** A reply shows `tid`: all up to it must have been announced. */
  #shown(spell: Spell, tid: string): void {
    const base = verifiedAt(spell);
    if (base === undefined) return;
    const { transactions } = this.#history;
    for (; this.#looked < transactions.length; this.#looked++) {
      const transaction = transactions[this.#looked];
      if (transaction === undefined || transaction.tid > tid) return;
      if (transaction.tid <= base || this.#own.has(transaction.tid)) continue;
      if (this.#untold(spell, transaction).length === 0) continue;
      this.#find("shown early", `${tid}, before it was told of ${transaction.tid}`);
    }
  }

  /** All that lies between where the cache was verified and where the next connection, or the end, finds it. */
  #look(spell: Spell): void {
    const base = spell.from !== undefined && !spell.dropped ? spell.from : spell.news.shown;
    if (base === undefined) return;
    const upTo = spell.upTo ?? spell.news.highest;
    const { besides } = spell.news;
    for (const transaction of this.#history.transactions) {
      const { tid, records } = transaction;
      if (tid <= base || tid > upTo || this.#own.has(tid) || records.length === 0) continue;
      this.#heard.due++;
      const untold = this.#untold(spell, transaction);
      const never = untold.filter((oid) => !besides.some((late) => late.oid === oid && late.tid >= tid));
      this.#heard.late += untold.length - never.length;
      if (never.length === 0) {
        this.#heard.told++;
        continue;
      }
      const isKnown = spell.news.announced.has(tid) || isResumed(spell, tid);
      const how = isResumed(spell, tid) ? `getInvalidations(${spell.from}) up to ${spell.resumed?.tid}` : "announced";
      const what = `${never.length} of ${records.length} oids: ${never.slice(0, 3).join(" ")}`;
      const where = `life ${spell.life}, connection ${spell.connection}`;
      this.#find(
        isKnown && never.length < records.length ? "incomplete" : "missing",
        `${tid} (${transaction.mark}; ${how}; ${where}): ${what}`,
      );
    }
    this.#heard.extras += besides.length;
  }

  /** The oids of a transaction that neither its own message nor the verification named. */
  #untold(spell: Spell, { tid, records }: TrueTransaction): string[] {
    // What a client is told while it verifies, and which its verification covers, it drops.
    const named = isResumed(spell, tid) ? spell.resumed?.oids : spell.news.announced.get(tid);
    return records.map(([oid]) => oid).filter((oid) => named?.has(oid) !== true);
  }

  #find(kind: FindingKind, detail: string): void {
    this.#findings.push({ kind, who: this.#who, detail });
  }
}

/** Has it asked, and not been answered yet? */
function verifies({ from, resumed, dropped, news: { shown } }: Spell): boolean {
  return from !== undefined && shown !== undefined && shown > from && resumed === undefined && !dropped;
}

function raise(news: News, tid: string): void {
  if (tid > news.highest) news.highest = tid;
}

function isResumed({ resumed, dropped }: Spell, tid: string): boolean {
  return !dropped && resumed !== undefined && tid <= resumed.tid;
}

/** From where on it has to be told; undefined while it verifies. */
function verifiedAt({ from, resumed, dropped, news: { shown } }: Spell): string | undefined {
  if (from === undefined || dropped) return shown;
  if (resumed !== undefined) return from;
  return shown === from ? from : undefined;
}

/** The tids of its commits that are its own. */
function ownCommits(events: readonly ActorEvent[], history: History): Set<string> {
  const marks = new Set(events.flatMap((event) => (event[0] === "attempt" ? [event[1]] : [])));
  const acknowledged = events.flatMap((event) => (event[0] === "committed" ? [event[2]] : []));
  // It may have been killed between the reply and its note of it.
  const told = events.flatMap((event) => (event[0] === "own" ? [event[1]] : []));
  const known = [...acknowledged, ...told, ...replies(events, history)];
  return new Set(known.filter((tid) => marks.has(history.at(tid)?.mark ?? "")));
}

/** Tids that it was shown inside a finish of its own, over the same connection, and that are that one's. */
function* replies(events: readonly ActorEvent[], history: History): Generator<string> {
  let finishing: string | undefined;
  for (const event of events) {
    if (event[0] === "finishing") finishing = event[1];
    else if (event[0] === "open" || event[0] === "verify") finishing = undefined;
    else if (event[0] === "shown" && finishing !== undefined && history.at(event[2])?.mark === finishing)
      yield event[2];
  }
}
