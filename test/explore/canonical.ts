import type { SightLife } from "../../src/ledger/sight.ts";
import type { Item, ItemKind, Phase, Account } from "../../src/ledger/state.ts";
import { ANY_TID } from "../../src/wire/ids.ts";
import { NO_OIDS, type OidSet } from "../../src/ledger/oid-set.ts";
import { isNew, type Config } from "./config.ts";
import { MessageKind, namesOthers, partsIn, type Message } from "./message.ts";
import type { Conn, World } from "./world.ts";

const PHASES: readonly Phase[] = ["registering", "registered", "orphaned", "closing"];
const ITEMS: readonly ItemKind[] = ["plain", "register", "reply", "invalidations", "grant", "invalidation"];

const LIVES: readonly SightLife[] = ["off", "away", "up"];
const PASTS: readonly Account<Message>["past"][] = ["not-needed", "wanted", "tried"];

/** Room for the largest state; writing beyond it throws. */
const ROOM = 4096;

/**
 * A state as bytes: two states are equal for all that may still happen exactly when their bytes are. What only grows
 * is written relative to the rest: a number of a finishing commit as the position in the queue of those, an order of
 * settling as the set of the commits that it covers. Left out is what nothing reads any more, and what follows from
 * the rest: session and transaction numbers, caches, counters for the log.
 */
export class Canonical {
  readonly bytes = new Uint8Array(ROOM);
  length = 0;

  write(c: Config, w: World): void {
    this.length = 0;
    for (let i = 0; i < w.conns.length; i++) {
      const s = w.conns[i];
      if (s === undefined) this.#put(0);
      else this.#conn(c, w, s);
    }
    for (const k of w.clients) {
      this.#put((k.fresh ? 1 : 0) | (k.ended ? 2 : 0) | (k.phase << 2) | (k.transaction << 5));
      this.#put((k.slot + 1) | (k.last << 4));
      this.#put(k.connects | (k.aborts << 4));
      this.#put(k.shown | (k.announced << 4));
      this.#put(k.kind | (k.polls << 4));
      this.#put(k.reads | (k.since << 4));
      this.#queue(w, k.queue, undefined);
    }
    this.#put((w.lock + 1) | (w.last << 4));
    this.#put(w.queued | (w.begun << 4));
    this.#put(w.disconnects | (w.cuts << 3) | (w.hangups << 5));
    this.#put(w.skips | (w.refusals << 4));
    this.#set(w.must);
    this.#set(w.blind);
    if (hasRare(c)) this.#rare(w);
    if (c.witness) this.#sight(w);
    for (const t of w.order) this.#put((w.kinds[t] ?? 0) | (t << 4));
    this.#queue(w, w.later, undefined);
    this.#ledger(w);
    void c;
  }

  #rare(w: World): void {
    const { rare } = w;
    const { copied } = w.ledger;
    this.#put(copied === undefined ? 255 : copied.isAlone ? 1 : 0);
    if (copied !== undefined) {
      for (const s of w.conns) {
        const account = s === undefined ? undefined : w.ledger.accounts.get(s.number);
        if (account === undefined) this.#put(255);
        else {
          const { number, verified } = account;
          this.#put((verified >= copied.number ? 1 : 0) | (number === copied.by ? 2 : 0));
        }
      }
      this.#put(copied.isOver ? 1 : 0);
    }
    for (const { number, swallowed } of w.ledger.finishing) {
      this.#put((copied !== undefined && number > copied.since ? 1 : 0) | (swallowed ? 2 : 0));
    }
    this.#put(Number(w.ledger.copiedBelow) | (w.ledger.copyingEndedAt === Number.NEGATIVE_INFINITY ? 0 : 128));
    for (const tid of w.ledger.copiedTids) this.#put(Number(tid));
    this.#put(255);
    for (const tid of w.ledger.namedTids) this.#put(Number(tid));
    const { lastNamed, settles, sight } = w.ledger;
    const isLast = lastNamed?.commits === settles - sight.foreign;
    this.#put(lastNamed === undefined ? 255 : Number(lastNamed.tid) | (isLast ? 16 : 0));
    this.#put(rare.halfCloses | (rare.stalls << 2) | (rare.votesAgain << 4) | (rare.restores << 6));
    this.#put(rare.throws | (rare.delays << 2) | (w.top << 4));
    this.#put(rare.trims);
    for (const tids of [w.rest, rare.open, rare.copied, rare.untold, rare.lost]) this.#set(tids);
    this.#put(rare.limbos);
    this.#put(rare.proof);
    for (const k of w.clients) {
      this.#set(k.stale);
      this.#set(k.ahead);
      this.#put(k.stalled ? 1 : 0);
    }
    for (const s of w.conns) {
      if (s === undefined) continue;
      this.#put((s.halfClosed ? 1 : 0) | (s.endPassed ? 2 : 0) | (s.behind ? 4 : 0) | (s.explicit << 4));
      this.#queue(w, s.late, undefined);
    }
  }

  #sight(w: World): void {
    const { watch, ledger } = w;
    const { sight } = ledger;
    this.#put((watch.isUp ? 1 : 0) | (watch.downs << 1) | (watch.holds << 3) | (watch.early << 5) | (watch.offs << 6));
    this.#queue(w, watch.toServer, undefined);
    this.#queue(w, watch.toProxy, undefined);
    this.#put(LIVES.indexOf(sight.life) | (sight.isWantedAgain ? 4 : 0) | (sight.wanted > sight.begun ? 8 : 0));
    const toldAbove = sight.toldAbove === ANY_TID ? 15 : Number(sight.toldAbove);
    this.#put(Number(sight.readUpTo ?? 15n) | (toldAbove << 4));
    this.#put(Number(sight.offAt) | (Number(sight.leftAt) << 4));
    this.#set(partsBits(w, sight.missed?.oids ?? NO_OIDS));
    this.#put(Number(ledger.doubted) | (Number(sight.back ?? 15n) << 4));
    this.#put(sight.reading === undefined ? 255 : Number(sight.reading.above) | (Number(sight.reading.upTo) << 4));
    this.#set(sight.told.reduce((set, { tid: one }) => set | (1 << Number(one)), 0));
    const { look } = sight;
    this.#put(look === undefined ? 255 : Number(look.last ?? 15n) | (look.isSure ? 16 : 0));
    if (look?.found !== undefined) {
      this.#set(look.found.reduce((set, { tid: one }) => set | (1 << Number(one)), 0));
      this.#put(ledger.finishing.filter(({ number }) => number <= look.after).length);
    }
    for (const { isCovered } of ledger.finishing) this.#put(isCovered ? 1 : 0);
    for (const { changes } of ledger.history) this.#put(changes.silent ? 1 : 0);
    for (const s of w.conns) {
      const account = s === undefined ? undefined : ledger.accounts.get(s.number);
      if (account === undefined) continue;
      const { isCovered, past, awaited } = account;
      this.#put(Number(account.answered));
      this.#put((isCovered ? 1 : 0) | (PASTS.indexOf(past) << 1) | (awaited?.isLate ? 8 : 0));
      this.#put(awaited === undefined ? 255 : Math.max(0, awaited.look - sight.over));
      this.#put(awaited !== undefined && sight.sure >= awaited.look ? 1 : 0);
    }
  }

  #set(tids: number): void {
    this.#put(tids);
    this.#put(tids >> 8);
  }

  #put(byte: number): void {
    if (this.length === ROOM) throw new RangeError("a state is too large");
    this.bytes[this.length++] = byte;
  }

  #conn(c: Config, w: World, s: Conn): void {
    const flags =
      1 |
      (s.foreign ? 2 : 0) |
      (s.alive ? 4 : 0) |
      (s.finishSent ? 8 : 0) |
      (s.dead ? 16 : 0) |
      (s.closed ? 32 : 0) |
      (s.closing ? 64 : 0) |
      (s.waits ? 128 : 0);
    this.#put(flags);
    this.#put((s.gone ? 1 : 0) | (s.cut ? 2 : 0) | (s.registered << 2) | (s.early << 4));
    this.#put(s.client | (s.kind << 4));
    const account = w.ledger.accounts.get(s.number);
    const orders = isNew(c) ? account : undefined;
    if (s.waits && orders !== undefined) this.#put(covered(orders, s.stamp.order));
    this.#queue(w, s.toClient, undefined);
    this.#queue(w, s.toServer, orders);
    this.#queue(w, s.toProxy, orders);
    if (account === undefined) this.#put(255);
    else this.#account(w, account);
    if (c.lates && account !== undefined) this.#late(w, account);
  }

  #queue(w: World, queue: readonly Message[], orders: Account<Message> | undefined): void {
    this.#put(queue.length);
    for (const m of queue) {
      this.#put(m.kind | (m.madeUp ? 32 : 0));
      this.#put(m.a | (m.b << 4));
      switch (m.kind) {
        case MessageKind.invalidation:
          this.#put(m.mask);
          break;
        case MessageKind.again:
          this.#set(m.mask);
          break;
        case MessageKind.resumed:
          this.#put(m.number);
          this.#set(m.mask);
          break;
        default:
          if (m.kind === MessageKind.finishReply) this.#put(m.mask);
          if (m.kind === MessageKind.invalidations) this.#put(m.args === undefined ? 1 : 0);
          if (orders !== undefined) this.#put(covered(orders, m.stamp.order));
      }
    }
    void w;
  }

  #account(w: World, account: Account<Message>): void {
    this.#put(
      PHASES.indexOf(account.phase) |
        (account.seen ? 4 : 0) |
        (account.question === undefined ? 0 : 8) |
        (account.granted ? 16 : 0),
    );
    this.#put(Number(account.floor) | (Number(account.announced) << 4));
    this.#put(Number(account.committed) | (Number(account.ownTold) << 4));
    this.#put(Number(account.shown) | (account.transactions.length << 4) | (account.transactions[0]?.over ? 128 : 0));
    let later = 0;
    for (const settled of w.ledger.history) {
      if (account.registered.order < settled.order) later |= 1 << Number(settled.tid);
    }
    this.#put(later);
    this.#put(dueSet(account));
    if (w.ledger.server === "new" && account.question !== undefined)
      this.#put(covered(account, account.question.order));
    this.#put(account.outbox.length);
    for (const item of account.outbox) this.#item(w, item);
  }

  #late(w: World, { late, isWorking, stands }: Account<Message>): void {
    this.#put((isWorking ? 1 : 0) | (late?.isTold ? 4 : 0) | (Number(stands.tid) << 4));
    this.#put(Number(late?.tid ?? 0));
    this.#put(stands.oids === undefined ? 0 : 1);
    this.#set(partsBits(w, late?.oids ?? NO_OIDS));
  }

  #item(w: World, item: Item<Message>): void {
    const { payload } = item;
    let after = 0;
    for (const commit of w.ledger.finishing) if (commit.number <= item.after) after++;
    this.#put(ITEMS.indexOf(item.kind) | (item.exact ? 8 : 0) | (after << 4));
    this.#put(Number(item.tid) | (Number(item.asked) << 4));
    this.#put(payload === undefined ? 0 : payload.kind | (payload.args === undefined ? 32 : 0));
    this.#put(payload === undefined ? 0 : payload.a | (payload.b << 4));
  }

  #ledger(w: World): void {
    const { ledger } = w;
    this.#put(Number(ledger.known) | (Number(ledger.proven) << 4));
    this.#put(ledger.reach === undefined ? 255 : Number(ledger.reach));
    this.#put(ledger.finishing.length);
    for (const commit of ledger.finishing) {
      const slot = w.conns.findIndex((s) => s?.number === commit.session);
      this.#put(Number(commit.base) | (commit.granted ? 8 : 0) | (slot << 4));
    }
    this.#put(ledger.history.length);
    for (const settled of ledger.history) {
      const t = Number(settled.tid);
      const transaction = w.transactions[t] ?? 0;
      const committer = w.conns.findIndex((s) => s?.number === settled.session);
      this.#put(t | ((committer + 1) << 4));
      this.#put(partsIn(settled.oids, transaction) | (settled.complete ? 16 : 0) | ((settled.owed?.size ?? 0) << 5));
      this.#put(namesOthers(settled.oids, transaction) ? 1 : 0);
    }
    this.#put(ledger.heard.size);
    let heard = 0;
    for (const [tid, { oids: heardOids }] of ledger.heard) {
      heard |= 1 << Number(tid);
      if (namesOthers(heardOids, w.transactions[Number(tid)] ?? 0)) heard |= 128;
    }
    this.#put(heard);
    this.#put(ledger.limbo.length);
    for (const { number: doubt, oids, base, open, since, top } of ledger.limbo) {
      this.#put((open ? 1 : 0) | (oids === undefined ? 2 : 0) | (Number(base) << 2) | (Number(top ?? 0n) << 5));
      // Those that are forwarded from now on are newer, and so are those who register.
      let later = 0;
      for (const account of ledger.accounts.values()) if (account.doubts >= doubt) later++;
      this.#put(later);
      this.#put(ledger.finishing.filter(({ number }) => number > since).length);
      const transaction = oids?.[6] ?? 0;
      this.#put(Math.max(w.transactions.indexOf(transaction), 0) | (partsIn(oids ?? NO_OIDS, transaction) << 4));
    }
  }
}

/** Has the world what is in `Rare`, or the clients and connections for it? Commits of others can make a client stale, too. */
function hasRare(c: Config): boolean {
  const { halfCloses, stalls, votesAgain, copies, restores, throws, delays, trims, foreign, limboEnds, lateCuts } = c;
  const often = halfCloses + stalls + votesAgain + copies + restores + throws + delays + trims;
  return foreign || limboEnds || lateCuts || often > 0;
}

/** Which of the commits that are due to the session an order covers. */
function covered(account: Account<Message>, order: number): number {
  let set = 0;
  for (const { settled } of account.due) if (settled.order <= order) set |= 1 << Number(settled.tid);
  return set;
}

function dueSet(account: Account<Message>): number {
  let set = 0;
  for (const { settled } of account.due) set |= 1 << Number(settled.tid);
  return set;
}

/** Of which commits there is anything in it, a bit for each. */
function partsBits(w: World, oids: OidSet): number {
  let bits = 0;
  for (let t = 1; t <= w.top; t++) if (partsIn(oids, w.transactions[t] ?? 0) !== 0) bits |= 1 << t;
  return bits;
}
