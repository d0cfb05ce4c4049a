import type { ClientEvent } from "../peers/client.ts";
import { judge } from "../peers/judge.ts";
import type { TrueTransaction } from "../peers/server.ts";

/** What the client's cache was told on one connection. */
interface Spell {
  /** Its cache was empty when it began to verify, and had nothing to ask for. */
  isNew: boolean;
  /** The tid that the server (or the proxy) showed first: what the client compares its cache's with. */
  shown: string;
  /** `getInvalidations` replies. */
  readonly resumed: { readonly tid: string; readonly oids: ReadonlySet<string> }[];
  /** It was answered None: the client drops its cache, and is at the tid that was shown. */
  dropped: boolean;
  readonly invalidations: Map<string, ReadonlySet<string>>;
}

export interface ObserverFacts {
  /** Transactions that it had to be told of, and that it was told of completely. */
  readonly due: number;
  readonly told: number;
  readonly verified: number;
  readonly dropped: number;
  readonly problems: readonly string[];
}

/**
 * Compares what a client that does not write was told, over all its connections, with the transactions of the storage's
 * file: whatever was committed while it was connected was announced to it, whatever was committed between two connections
 * was named when it verified its cache. Its cache outlives its connections. `isThere`: it is still connected.
 */
export function judgeObserver(
  events: readonly ClientEvent[],
  truth: readonly TrueTransaction[],
  isThere: boolean,
): ObserverFacts {
  const order = judge(events, { transactions: truth, empty: new Set() }, { toTheEnd: false });
  // With a short history that is an honest answer; what it means for the cache is seen below.
  const problems = order.problems.filter((problem) => problem !== "getInvalidations was answered None");
  const spells = spellsOf(events);
  let known: string | undefined;
  let due = 0;
  let told = 0;
  let isVerified = false;
  const require = (transaction: TrueTransaction, spell: Spell): void => {
    due++;
    const missing = transaction.oids.filter((oid) => !isTold(spell, transaction.tid, oid));
    if (missing.length === 0) told++;
    else {
      const what = `${missing.length} of ${transaction.oids.length} oids: ${missing.slice(0, 3).join(" ")}`;
      problems.push(`never told of ${transaction.tid}: ${what}`);
    }
  };
  spells.forEach((spell, index) => {
    const start = verifiedAt(spell, known);
    isVerified = start !== undefined;
    if (start === undefined) return;
    const isLast = isThere && index === spells.length - 1;
    const before = spell.dropped || spell.isNew ? start : (known ?? start);
    const last = [...spell.invalidations.keys()].reduce((a, b) => (a > b ? a : b), start);
    for (const transaction of truth) {
      if (transaction.tid <= before || (!isLast && transaction.tid > last)) continue;
      require(transaction, spell);
    }
    known = last;
  });
  const end = spells.at(-1);
  if (isThere && !isVerified && end !== undefined) {
    const facts = `${end.shown} was shown, ${known ?? "nothing"} known, ${end.invalidations.size} announced`;
    problems.push(`it never verified its cache on its last connection: ${facts}`);
  }
  const dropped = spells.filter((spell) => spell.dropped).length;
  return { due, told, verified: spells.length, dropped, problems };
}

function isTold(spell: Spell, tid: string, oid: string): boolean {
  if (spell.invalidations.get(tid)?.has(oid) === true) return true;
  return spell.resumed.some((resumed) => resumed.tid >= tid && resumed.oids.has(oid));
}

/** The tid at which its cache is once it has verified; undefined where the connection ended before. */
function verifiedAt({ isNew, shown, resumed, dropped }: Spell, known: string | undefined): string | undefined {
  if (dropped) return shown;
  if (resumed.length > 0) return resumed.reduce((highest, { tid }) => (tid > highest ? tid : highest), shown);
  if (shown === "") return undefined;
  // Else it is up to date: it had nothing to verify.
  return isNew || (known !== undefined && shown <= known) ? shown : undefined;
}

function spellsOf(events: readonly ClientEvent[]): Spell[] {
  const spells = new Map<number, Spell>();
  let latest: Spell | undefined;
  const on = (connection: number): Spell => {
    let spell = spells.get(connection);
    if (spell === undefined) {
      spell = { isNew: false, shown: "", resumed: [], dropped: false, invalidations: new Map() };
      spells.set(connection, spell);
    }
    latest = spell;
    return spell;
  };
  for (const event of events) {
    switch (event[0]) {
      case "verify":
        if (event[3] === 0) on(event[1]).isNew = true;
        break;
      case "shown":
        if (on(event[1]).shown === "") on(event[1]).shown = event[2];
        break;
      case "resumed":
        on(event[1]).resumed.push({ tid: event[2], oids: new Set(event[3]) });
        break;
      case "invalidation":
        on(event[1]).invalidations.set(event[2], new Set(event[3]));
        break;
      case "stale cache":
        if (latest !== undefined) latest.dropped = true;
        break;
      case "told":
      case "own":
      case "cache dropped":
    }
  }
  return [...spells.values()];
}
